// The k products a user is most likely to want, best first; what they may not buy is left out.
// The cosine is fast and good to 32 bits: it picks ten more than asked for, which are scored again in 64 bits, so that
// no list depends on rounding. All rows have one length, so best by cosine is best by score; without a vector it is null.
// parameters: user_id STRING, query LIST, width INTEGER, k INTEGER
// columns:    product STRING, name STRING, score FLOAT
MATCH (u:User {id: $user_id})
WITH u, COLLECT { MATCH (u)-[:HOLDS|DISMISSED]->(x:Product) RETURN x } AS out
MATCH (p:Product)
WHERE coalesce(p.open, true) = true
  AND (p.countries IS NULL OR size(p.countries) = 0 OR u.country IN p.countries)
  AND (p.risk IS NULL OR p.risk <= u.risk_tolerance)
  AND NOT p IN out
  // own rules
WITH p, vector.similarity.cosine(p.embedding_a, $query) AS near
WHERE near IS NOT NULL
WITH p, near ORDER BY near DESC, p.id LIMIT $k + 10
WITH p, p.embedding_a AS e
RETURN p.id AS product, coalesce(p.name, p.id) AS name,
       reduce(total = 0.0, d IN range(0, $width - 1) | total + e[d] * $query[d]) AS score
ORDER BY score DESC, product
LIMIT $k
