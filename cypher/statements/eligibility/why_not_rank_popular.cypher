// The same by number of holders, for as long as no embeddings are in the graph.
// parameters: user_id STRING, product_id STRING, score FLOAT
// columns:    before INTEGER, others INTEGER
MATCH (u:User {id: $user_id})
WITH u, COLLECT { MATCH (u)-[:HOLDS|DISMISSED]->(x:Product) RETURN x } AS out
MATCH (p:Product)
WHERE coalesce(p.open, true) = true
  AND (p.countries IS NULL OR size(p.countries) = 0 OR u.country IN p.countries)
  AND (p.risk IS NULL OR p.risk <= u.risk_tolerance)
  AND NOT p IN out AND p.id <> $product_id
  // own rules
WITH p, COUNT { (p)<-[:HOLDS]-() } AS score
RETURN count(CASE WHEN score > $score OR (score = $score AND p.id < $product_id) THEN 1 END) AS before,
       count(p) AS others
ORDER BY before
