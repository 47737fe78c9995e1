// Return the nearest products of some vectors in the slot's index, ignoring rules.
// parameters: rows LIST, width INTEGER, k INTEGER
// columns:    row INTEGER, found LIST
CYPHER 25
UNWIND range(0, size($rows) - 1) AS row
WITH row, vector($rows[row], $width, FLOAT32) AS q
CALL (q) {
  MATCH (p:Product)
  SEARCH p IN (VECTOR INDEX product_embedding_a FOR q LIMIT $k) SCORE AS similarity
  WITH p, similarity ORDER BY similarity DESC
  RETURN collect(p.gid) AS found
}
RETURN row, found
ORDER BY row
