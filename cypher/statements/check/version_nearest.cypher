// Return the nearest products of some vectors by comparing all, ignoring rules.
// parameters: rows LIST, damaged LIST, k INTEGER
// columns:    row INTEGER, found LIST
UNWIND range(0, size($rows) - 1) AS row
CALL (row) {
  MATCH (p:Product) WHERE p.embedding_a IS NOT NULL AND NOT p.id IN $damaged
  WITH p.gid AS gid, vector.similarity.cosine(p.embedding_a, $rows[row]) AS near ORDER BY near DESC LIMIT $k
  RETURN collect(gid) AS found
}
RETURN row, found
ORDER BY row
