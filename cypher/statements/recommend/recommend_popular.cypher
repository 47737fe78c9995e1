// Return the k products with the most holders that the rules allow, best first: for a graph without embeddings.
// parameters: user_id STRING, k INTEGER, harmless LIST
// columns:    product STRING, name STRING, score FLOAT
MATCH (u:User {id: $user_id})
WITH u, COLLECT { MATCH (u)-[:HOLDS|DISMISSED]->(x:Product) RETURN x } AS out
MATCH (p:Product)
WHERE
  // include: rules
  AND NOT p IN out
RETURN p.id AS product, coalesce(toStringOrNull(([] + p.name)[0]), p.id) AS name, toFloat(COUNT { (p)<-[:HOLDS]-() }) AS score
ORDER BY score DESC, product
LIMIT $k
