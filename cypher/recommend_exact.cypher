// The k products a user is most likely to want, best first; what they may not buy is left out.
// `vector_distance` is fast and good to 32 bits: it picks ten more than asked for, which are scored again in 64 bits,
// so that no list depends on rounding. Products without a vector are null there; asking for them first is twice as slow.
// parameters: user_id STRING, query LIST, width INTEGER, k INTEGER
// columns:    product STRING, name STRING, score FLOAT
CYPHER 25
MATCH (u:User {id: $user_id})
WITH u, vector($query, $width, FLOAT32) AS q,
     COLLECT { MATCH (u)-[:HOLDS|DISMISSED]->(x:Product) RETURN x } AS out
MATCH (p:Product)
WHERE coalesce(p.open, true) = true
  AND (p.countries IS NULL OR size(p.countries) = 0 OR u.country IN p.countries)
  AND (p.risk IS NULL OR p.risk <= u.risk_tolerance)
  AND NOT p IN out
WITH p, -vector_distance(vector(p.embedding_a, $width, FLOAT32), q, DOT) AS near
WHERE near IS NOT NULL
WITH p, near ORDER BY near DESC, p.id LIMIT $k + 10
WITH p, p.embedding_a AS e
RETURN p.id AS product, coalesce(p.name, p.id) AS name,
       reduce(total = 0.0, d IN range(0, $width - 1) | total + e[d] * $query[d]) AS score
ORDER BY score DESC, product
LIMIT $k
