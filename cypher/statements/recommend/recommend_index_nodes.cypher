// Return the same as `recommend_index`, for servers whose search has no filters: all rules are applied to the found products.
// parameters: user_id STRING, query LIST, width INTEGER, length FLOAT, n INTEGER, m INTEGER, k INTEGER, harmless LIST
// columns:    seen INTEGER, products LIST, names LIST, scores LIST
MATCH (u:User {id: $user_id})
WITH u, COLLECT { MATCH (u)-[:HOLDS|DISMISSED]->(x:Product) RETURN x } AS out
CALL () {
  CALL db.index.vector.queryNodes('product_embedding_a', $n, $query) YIELD node AS p, score AS near
  WHERE p:Product
  RETURN collect({node: p, near: near}) AS found
}
// include: rank_found
