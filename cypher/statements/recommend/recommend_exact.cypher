// The k products a user is most likely to want, best first; what they may not buy is left out.
// A score is the user's vector with the product's, and the links to the product from what the user holds. The cosine is
// fast and good to 32 bits: it picks ten more than asked for, which are scored again in 64 bits, so that no list depends
// on rounding. All rows have one length, so `length`, theirs times the query's, makes a score of a cosine.
// parameters: user_id STRING, query LIST, width INTEGER, length FLOAT, k INTEGER
// columns:    product STRING, name STRING, score FLOAT
MATCH (u:User {id: $user_id})
WITH u, COLLECT { MATCH (u)-[:HOLDS|DISMISSED]->(x:Product) RETURN x } AS out
CALL (u, out) {
  MATCH (p:Product)
  WHERE coalesce(p.open, true) = true
    AND (p.countries IS NULL OR size(p.countries) = 0 OR u.country IN p.countries)
    AND (p.risk IS NULL OR p.risk <= u.risk_tolerance)
    AND NOT p IN out
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
WITH p, linked ORDER BY heads + linked DESC, p.id LIMIT $k + 10
WITH p, linked, p.embedding_a AS e
RETURN p.id AS product, coalesce(p.name, p.id) AS name,
       linked + reduce(total = 0.0, d IN range(0, $width - 1) | total + e[d] * $query[d]) AS score
ORDER BY score DESC, product
LIMIT $k
