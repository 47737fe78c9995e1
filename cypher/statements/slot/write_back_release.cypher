// Release a slot that is half written, so that the next write-back need not wait.
// parameters: writer STRING
// columns:    none
MATCH (v:EmbeddingVersion {state: 'writing', writer: $writer})
SET v.beat = 0
