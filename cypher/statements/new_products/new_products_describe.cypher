// Store what new products changed of a version that the transaction locked.
// parameters: version STRING, into STRING, properties MAP
// columns:    version STRING
MATCH (v:EmbeddingVersion {name: $version, slot: $into})
SET v += $properties
RETURN v.name AS version
