// The k products most people hold, best first, for as long as no embeddings are in the graph; same rules.
// parameters: user_id STRING, k INTEGER
// columns:    product STRING, name STRING, score FLOAT
MATCH (u:User {id: $user_id})
WITH u, COLLECT { MATCH (u)-[:HOLDS|DISMISSED]->(x:Product) RETURN x } AS out
MATCH (p:Product)
WHERE coalesce(p.open, true) = true
  AND (p.countries IS NULL OR size(p.countries) = 0 OR u.country IN p.countries)
  AND (p.risk IS NULL OR p.risk <= u.risk_tolerance)
  AND NOT p IN out
  // own rules
RETURN p.id AS product, coalesce(p.name, p.id) AS name, toFloat(COUNT { (p)<-[:HOLDS]-() }) AS score
ORDER BY score DESC, product
LIMIT $k
