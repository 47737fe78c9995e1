// The k products a user is most likely to want, best first; what they may not buy is left out.
// Products without a vector score null. Asking `embedding IS NOT NULL` first makes it twice as slow.
// parameters: user_id STRING, query LIST, width INTEGER, k INTEGER
// columns:    product STRING, name STRING, score FLOAT
CYPHER 25
MATCH (u:User {id: $user_id})
WITH u, vector($query, $width, FLOAT64) AS q,
     COLLECT { MATCH (u)-[:HOLDS|DISMISSED]->(x:Product) RETURN x } AS out
MATCH (p:Product)
WHERE coalesce(p.open, true) = true
  AND (p.countries IS NULL OR size(p.countries) = 0 OR u.country IN p.countries)
  AND (p.risk IS NULL OR p.risk <= u.risk_tolerance)
  AND NOT p IN out
WITH p, -vector_distance(vector(p.embedding_a, $width, FLOAT64), q, DOT) AS score
WHERE score IS NOT NULL
RETURN p.id AS product, coalesce(p.name, p.id) AS name, score
ORDER BY score DESC, product
LIMIT $k
