// Release an incomplete slot, so that the next write-back does not wait.
// parameters: writer STRING
// columns:    none
MATCH (v:EmbeddingVersion {state: 'writing', writer: $writer})
SET v.beat = 0
