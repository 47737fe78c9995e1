// How many products would stand before one of a given score in a user's list, and how many are allowed besides it.
// parameters: user_id STRING, product_id STRING, query LIST, width INTEGER, score FLOAT
// columns:    before INTEGER, others INTEGER
CYPHER 25
MATCH (u:User {id: $user_id})
WITH u, vector($query, $width, FLOAT64) AS q,
     COLLECT { MATCH (u)-[:HOLDS|DISMISSED]->(x:Product) RETURN x } AS out
MATCH (p:Product)
WHERE coalesce(p.open, true) = true
  AND (p.countries IS NULL OR size(p.countries) = 0 OR u.country IN p.countries)
  AND (p.risk IS NULL OR p.risk <= u.risk_tolerance)
  AND NOT p IN out AND p.id <> $product_id
WITH p, -vector_distance(vector(p.embedding_a, $width, FLOAT64), q, DOT) AS score
WHERE score IS NOT NULL
RETURN count(CASE WHEN score > $score OR (score = $score AND p.id < $product_id) THEN 1 END) AS before,
       count(p) AS others
ORDER BY before
