// Record who approved a version; it no longer awaits approval. Runs after `version_lock` in its transaction.
// parameters: version STRING, into STRING, by STRING, at STRING
// columns:    version STRING
MATCH (v:EmbeddingVersion {name: $version, slot: $into}) WHERE v.state IN ['ready', 'active']
SET v.approved_by = $by, v.approved_at = $at
REMOVE v.awaits_approval
RETURN v.name AS version
