// Store what serving reads of the version in a filled slot; no row if another writer has the slot.
// parameters: writer STRING, properties MAP
// columns:    version STRING
MATCH (v:EmbeddingVersion {state: 'writing', writer: $writer})
SET v += $properties, v.beat = timestamp()
RETURN v.name AS version
