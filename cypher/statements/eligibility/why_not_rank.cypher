// How many products stand before one of them in a user's list, and how many are allowed besides it.
// What 32 bits cannot tell from it is scored again in 64; `length` makes a score of a cosine.
// parameters: user_id STRING, product_id STRING, query LIST, width INTEGER, length FLOAT, score FLOAT
// columns:    before INTEGER, others INTEGER
MATCH (u:User {id: $user_id})
WITH u, COLLECT { MATCH (u)-[:HOLDS|DISMISSED]->(x:Product) RETURN x } AS out
CALL (u, out) {
  MATCH (p:Product)
  WHERE coalesce(p.open, true) = true
    AND (p.countries IS NULL OR size(p.countries) = 0 OR u.country IN p.countries)
    AND (p.risk IS NULL OR p.risk <= u.risk_tolerance)
    AND NOT p IN out AND p.id <> $product_id
    // own rules
  RETURN p, (2 * vector.similarity.cosine(p.embedding_a, $query) - 1) * $length AS heads, 0.0 AS linked
  UNION ALL
  MATCH (u)-[h:HOLDS]->(n:Product)
  WHERE coalesce(h.split, 'train') = 'train' AND n.similar_a IS NOT NULL
  WITH DISTINCT n
  WITH n.similar_a AS gids, n.similar_weight_a AS weights
  UNWIND range(0, size(gids) - 1) AS place
  WITH gids[place] AS gid, sum(weights[place]) AS linked
  MATCH (p:Product {gid: gid})
  RETURN p, null AS heads, linked
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
