// How many products stand before one of a given score in a user's list, and how many are allowed besides it.
// Those that 32 bits cannot tell from it are scored again in 64.
// parameters: user_id STRING, product_id STRING, query LIST, width INTEGER, score FLOAT
// columns:    before INTEGER, others INTEGER
CYPHER 25
MATCH (u:User {id: $user_id})
WITH u, vector($query, $width, FLOAT32) AS q,
     COLLECT { MATCH (u)-[:HOLDS|DISMISSED]->(x:Product) RETURN x } AS out
MATCH (p:Product)
WHERE coalesce(p.open, true) = true
  AND (p.countries IS NULL OR size(p.countries) = 0 OR u.country IN p.countries)
  AND (p.risk IS NULL OR p.risk <= u.risk_tolerance)
  AND NOT p IN out AND p.id <> $product_id
WITH p, -vector_distance(vector(p.embedding_a, $width, FLOAT32), q, DOT) AS near
WHERE near IS NOT NULL
WITH p, CASE
  WHEN abs(near - $score) > 0.001 THEN near
  ELSE reduce(total = 0.0, d IN range(0, $width - 1) | total + p.embedding_a[d] * $query[d])
END AS score
RETURN count(CASE WHEN score > $score OR (score = $score AND p.id < $product_id) THEN 1 END) AS before,
       count(p) AS others
ORDER BY before
