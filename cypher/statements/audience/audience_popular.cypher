// Return the first k users by id whom the rules allow a product, with the number of its holders: for a graph without
// embeddings. `eligible` is the number of all such users.
// parameters: product_id STRING, k INTEGER, harmless LIST
// columns:    user STRING, name STRING, score FLOAT, eligible INTEGER
MATCH (p:Product {id: $product_id})
MATCH (u:User)
WHERE u.id IS NOT NULL AND NOT EXISTS { (u)-[:HOLDS|DISMISSED]->(p) } AND
  // include: rules
WITH p, u ORDER BY u.id
WITH p, collect(u) AS users
UNWIND users[0..$k] AS u
RETURN u.id AS user, coalesce(toStringOrNull(([] + u.name)[0]), u.id) AS name,
       toFloat(COUNT { (p)<-[:HOLDS]-() }) AS score, size(users) AS eligible
ORDER BY user
