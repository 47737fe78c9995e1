// Activate a ready version that does not await approval, deactivate every other active one and end a split of users; runs after `version_lock` in its transaction; idempotent.
// parameters: version STRING, into STRING
// columns:    version STRING
MATCH (v:EmbeddingVersion {name: $version, slot: $into}) WHERE v.state IN ['ready', 'active'] AND v.awaits_approval IS NULL
CALL (v) {
  MATCH (old:EmbeddingVersion {state: 'active'}) WHERE old <> v
  SET old.state = 'ready'
}
SET v.state = 'active'
WITH v
CALL () {
  MATCH (w:EmbeddingVersion)
  REMOVE w.split
}
RETURN v.name AS version
