// Lets a ready version serve in place of the active one, both in this one transaction; again changes nothing.
// parameters: version STRING
// columns:    version STRING
MATCH (v:EmbeddingVersion {name: $version}) WHERE v.state IN ['ready', 'active']
OPTIONAL MATCH (old:EmbeddingVersion {state: 'active'}) WHERE old <> v
SET old.state = 'ready', v.state = 'active'
RETURN v.name AS version
