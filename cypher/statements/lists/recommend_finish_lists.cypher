// Switch readers to the new lists in one transaction; no row if another writer of lists began since, or another version is
// active.
// parameters: version STRING, mark STRING
// columns:    version STRING
MATCH (v:EmbeddingVersion {name: $version, state: 'active'})
SET v.lists_beat = timestamp()
WITH v WHERE $mark IN [v.next_lists, v.lists]
SET v.lists = $mark
REMOVE v.next_lists, v.lists_beat
WITH v
CALL (v) {
  MATCH (other:EmbeddingVersion) WHERE other <> v
  REMOVE other.lists
}
RETURN v.name AS version
