// Record that the writer of a slot is alive; no row if another writer has the slot.
// parameters: writer STRING
// columns:    version STRING
MATCH (v:EmbeddingVersion {state: 'writing', writer: $writer})
SET v.beat = timestamp()
RETURN v.name AS version
