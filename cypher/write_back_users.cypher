// Stores the vectors of some users in the slot; what a row leaves out is removed. Stored as 32-bit numbers.
// parameters: rows LIST, writer STRING
// columns:    written INTEGER
MATCH (v:EmbeddingVersion {state: 'writing', writer: $writer})
SET v.beat = timestamp()
WITH v
UNWIND $rows AS row
MATCH (u:User {gid: row.gid}) WHERE u.id = row.id
SET u.counted_a = row.counted
REMOVE u.embedding_a, u.message_a, u.own_a
WITH u, row
CALL (u, row) {
  WITH row.embedding AS vector WHERE vector IS NOT NULL
  CALL db.create.setNodeVectorProperty(u, 'embedding_a', vector)
}
CALL (u, row) {
  WITH row.message AS vector WHERE vector IS NOT NULL
  CALL db.create.setNodeVectorProperty(u, 'message_a', vector)
}
CALL (u, row) {
  WITH row.own AS vector WHERE vector IS NOT NULL
  CALL db.create.setNodeVectorProperty(u, 'own_a', vector)
}
RETURN count(u) AS written
