// How many products stand before one of them in a user's list, and how many are allowed besides it.
// What 32 bits cannot tell from it is scored again in 64.
// parameters: user_id STRING, product_id STRING, query LIST, width INTEGER, score FLOAT
// columns:    before INTEGER, others INTEGER
MATCH (u:User {id: $user_id}), (t:Product {id: $product_id})
WITH u, vector.similarity.cosine(t.embedding_a, $query) AS edge,
     COLLECT { MATCH (u)-[:HOLDS|DISMISSED]->(x:Product) RETURN x } AS out
MATCH (p:Product)
WHERE coalesce(p.open, true) = true
  AND (p.countries IS NULL OR size(p.countries) = 0 OR u.country IN p.countries)
  AND (p.risk IS NULL OR p.risk <= u.risk_tolerance)
  AND NOT p IN out AND p.id <> $product_id
  // own rules
WITH p, edge, vector.similarity.cosine(p.embedding_a, $query) AS near
WHERE near IS NOT NULL
WITH p, CASE
  WHEN abs(near - edge) > 0.00001 THEN CASE WHEN near > edge THEN $score + 1 ELSE $score - 1 END
  ELSE reduce(total = 0.0, d IN range(0, $width - 1) | total + p.embedding_a[d] * $query[d])
END AS score
RETURN count(CASE WHEN score > $score OR (score = $score AND p.id < $product_id) THEN 1 END) AS before,
       count(p) AS others
ORDER BY before
