// Return the k products with the highest score for a user, best first, without products that the rules exclude.
// The score is the dot product of the user's and the product's vector plus the links from held products. All rows have the
// same length, so `length`, theirs times the query's, converts a cosine to a score. The cosine, exact to 32 bits,
// preselects k + 10 products, which are rescored in 64 bits, so that no list depends on rounding.
// parameters: user_id STRING, query LIST, width INTEGER, length FLOAT, damaged LIST, k INTEGER, harmless LIST
// columns:    product STRING, name STRING, score FLOAT
MATCH (u:User {id: $user_id})
WITH u, COLLECT { MATCH (u)-[:HOLDS|DISMISSED]->(x:Product) RETURN x } + COLLECT { MATCH (y:Product) WHERE y.id IN $damaged RETURN y } AS out
CALL (u, out) {
  MATCH (p:Product)
  WHERE
    // include: rules
    AND NOT p IN out
  RETURN p, (2 * vector.similarity.cosine(p.embedding_a, $query) - 1) * $length AS heads, 0.0 AS linked
  UNION ALL
  // include: linking_products
  // include: linked_products
}
// include: rank
