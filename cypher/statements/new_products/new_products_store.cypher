// Store new products in the slot of a version that the transaction locked, as 32-bit numbers; a message of zeros is null.
// parameters: rows LIST
// columns:    stored INTEGER
UNWIND $rows AS row
MATCH (p:Product {gid: row.gid})
WHERE toString(p.id) = row.id
SET p.market_a = row.market, p.new_a = row.known_by, p.inputs_a = row.inputs, p.message_a = null
WITH p, row
CALL (p, row) {
  UNWIND row.parts AS part
  CALL db.create.setNodeVectorProperty(p, part.key, part.numbers)
}
RETURN count(DISTINCT p) AS stored
