// Return the same as `recommend_similar`, from the nearest products in the slot's index.
// parameters: product_id STRING, query LIST, width INTEGER, n INTEGER, k INTEGER
// columns:    product STRING, name STRING, score FLOAT
CYPHER 25
WITH vector($query, $width, FLOAT32) AS q
CALL (q) {
  MATCH (p:Product)
  SEARCH p IN (VECTOR INDEX product_embedding_a FOR q WHERE p.open = true LIMIT $n) SCORE AS near
  RETURN p
  UNION ALL
  MATCH (p:Product)
  SEARCH p IN (VECTOR INDEX product_embedding_a FOR q WHERE p.open IS NULL LIMIT $n) SCORE AS near
  RETURN p
}
WITH p, p.embedding_a AS e
WHERE p.id <> $product_id AND coalesce(p.open, true) = true
WITH p, reduce(total = 0.0, d IN range(0, $width - 3) | total + e[d] * $query[d]) AS dot,
     reduce(total = 0.0, d IN range(0, $width - 3) | total + e[d] * e[d]) AS square_of_p,
     reduce(total = 0.0, d IN range(0, $width - 3) | total + $query[d] * $query[d]) AS square_of_query
WHERE square_of_p > 0
RETURN p.id AS product, coalesce(toStringOrNull(([] + p.name)[0]), p.id) AS name, dot / sqrt(square_of_p * square_of_query) AS score
ORDER BY score DESC, product
LIMIT $k
