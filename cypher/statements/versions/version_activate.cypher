// Activate a ready version and deactivate the active one in one transaction; idempotent.
// parameters: version STRING
// columns:    version STRING
MATCH (v:EmbeddingVersion {name: $version}) WHERE v.state IN ['ready', 'active']
OPTIONAL MATCH (old:EmbeddingVersion {state: 'active'}) WHERE old <> v
SET old.state = 'ready', v.state = 'active'
RETURN v.name AS version
