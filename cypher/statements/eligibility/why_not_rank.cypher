// Return the number of products that rank before a product in a user's list, and the number of other allowed products.
// Scores that equal the product's in 32 bits are recomputed in 64; `length` converts a cosine to a score.
// parameters: user_id STRING, product_id STRING, query LIST, width INTEGER, length FLOAT, damaged LIST, score FLOAT, harmless LIST
// columns:    before INTEGER, others INTEGER
MATCH (u:User {id: $user_id})
WITH u, COLLECT { MATCH (u)-[:HOLDS|DISMISSED]->(x:Product) RETURN x } + COLLECT { MATCH (y:Product) WHERE y.id IN $damaged RETURN y } AS out
CALL (u, out) {
  MATCH (p:Product)
  WHERE
    // include: rules
    AND NOT p IN out AND p.id <> $product_id
  RETURN p, (2 * vector.similarity.cosine(p.embedding_a, $query) - 1) * $length AS heads, 0.0 AS linked
  UNION ALL
  // include: linking_products
  // include: linked_products
}
WITH p, max(heads) AS heads, sum(linked) AS linked
WHERE heads IS NOT NULL
WITH p, CASE
  WHEN abs(heads + linked - $score) > 0.0001 THEN heads + linked
  ELSE linked + reduce(total = 0.0, d IN range(0, $width - 1) | total + p.embedding_a[d] * $query[d])
END AS score
RETURN count(CASE WHEN score > $score OR (score = $score AND p.id < $product_id) THEN 1 END) AS before,
       count(p) AS others
ORDER BY before
