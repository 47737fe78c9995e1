// The k best allowed products under wishes (kinds or categories, a highest risk, some left out), as `recommend_exact` ranks
// them, if holdings `without` were not there and `added` were. Nothing is written.
// parameters: user_id STRING, without LIST, added LIST, kinds LIST, not_kinds LIST, most_risk INTEGER, left_out LIST, query LIST, width INTEGER, length FLOAT, k INTEGER
// columns:    product STRING, name STRING, score FLOAT
MATCH (u:User {id: $user_id})
WITH u, COLLECT { MATCH (u)-[:HOLDS]->(x:Product) WHERE NOT x.id IN $without RETURN x.id }
  + COLLECT { MATCH (u)-[:DISMISSED]->(y:Product) RETURN y.id } + $added + $left_out AS out
CALL (u, out) {
  MATCH (p:Product)
  WHERE coalesce(p.open, true) = true
    AND (p.countries IS NULL OR size(p.countries) = 0 OR u.country IN p.countries)
    AND (p.risk IS NULL OR p.risk <= u.risk_tolerance)
    AND NOT p.id IN out
    AND ($most_risk IS NULL OR p.risk <= $most_risk)
    AND (size($kinds) = 0 OR coalesce(toLower(toStringOrNull(p.kind)) IN $kinds, false)
      OR EXISTS { MATCH (p)-[:IN_CATEGORY]->(c:Category) WHERE toLower(toStringOrNull(c.name)) IN $kinds })
    AND NOT coalesce(toLower(toStringOrNull(p.kind)) IN $not_kinds, false)
    AND NOT EXISTS { MATCH (p)-[:IN_CATEGORY]->(d:Category) WHERE toLower(toStringOrNull(d.name)) IN $not_kinds }
    // own rules
  RETURN p, (2 * vector.similarity.cosine(p.embedding_a, $query) - 1) * $length AS heads, 0.0 AS linked
  UNION ALL
  MATCH (u)-[h:HOLDS]->(n:Product)
  WHERE coalesce(h.split, 'train') = 'train' AND n.similar_a IS NOT NULL AND NOT n.id IN $without
  WITH DISTINCT n
  WITH n.similar_a AS gids, n.similar_weight_a AS weights
  UNWIND range(0, size(gids) - 1) AS place
  WITH gids[place] AS gid, sum(weights[place]) AS linked
  MATCH (p:Product {gid: gid})
  RETURN p, null AS heads, linked
  UNION ALL
  MATCH (m:Product)
  WHERE m.id IN $added AND m.similar_a IS NOT NULL
  WITH m.similar_a AS gids, m.similar_weight_a AS weights
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
