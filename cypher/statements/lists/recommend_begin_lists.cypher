// Announce new stored lists of the active version; a later announcement ends this one.
// parameters: version STRING, mark STRING
// columns:    version STRING
MATCH (v:EmbeddingVersion {name: $version, state: 'active'})
SET v.next_lists = $mark, v.lists_beat = timestamp()
RETURN v.name AS version
