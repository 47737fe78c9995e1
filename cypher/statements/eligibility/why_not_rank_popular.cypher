// Return the same as `why_not_rank`, by number of holders: for a graph without embeddings.
// parameters: user_id STRING, product_id STRING, score FLOAT, harmless LIST
// columns:    before INTEGER, others INTEGER
MATCH (u:User {id: $user_id})
WITH u, COLLECT { MATCH (u)-[:HOLDS|DISMISSED]->(x:Product) RETURN x } AS out
MATCH (p:Product)
WHERE
  // include: rules
  AND NOT p IN out AND p.id <> $product_id
WITH p, COUNT { (p)<-[:HOLDS]-() } AS score
RETURN count(CASE WHEN score > $score OR (score = $score AND p.id < $product_id) THEN 1 END) AS before,
       count(p) AS others
ORDER BY before
