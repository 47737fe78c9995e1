// Stores the vectors of some products in the slot; a message that a row leaves out is removed. Stored as 32-bit numbers.
// parameters: rows LIST, writer STRING
// columns:    written INTEGER
MATCH (v:EmbeddingVersion {state: 'writing', writer: $writer})
SET v.beat = timestamp()
WITH v
UNWIND $rows AS row
MATCH (p:Product {gid: row.gid}) WHERE p.id = row.id
REMOVE p.message_a
WITH p, row
CALL db.create.setNodeVectorProperty(p, 'embedding_a', row.embedding)
CALL (p, row) {
  WITH row.message AS vector WHERE vector IS NOT NULL
  CALL db.create.setNodeVectorProperty(p, 'message_a', vector)
}
RETURN count(p) AS written
