// Activate a ready version and deactivate every other active one; runs after `version_lock` in its transaction; idempotent.
// parameters: version STRING, into STRING
// columns:    version STRING
MATCH (v:EmbeddingVersion {name: $version, slot: $into}) WHERE v.state IN ['ready', 'active']
CALL (v) {
  MATCH (old:EmbeddingVersion {state: 'active'}) WHERE old <> v
  SET old.state = 'ready'
}
SET v.state = 'active'
RETURN v.name AS version
