// Return the same as `write_back_nearest`, for servers whose search has no filters.
// parameters: rows LIST, k INTEGER
// columns:    row INTEGER, found LIST
UNWIND range(0, size($rows) - 1) AS row
CALL (row) {
  CALL db.index.vector.queryNodes('product_embedding_a', $k, $rows[row]) YIELD node AS p, score AS near
  WHERE p:Product
  WITH p, near ORDER BY near DESC
  RETURN collect(p.gid) AS found
}
RETURN row, found
ORDER BY row
