// Return the k best allowed products under filters (kinds or categories, risk, properties, excluded ids), ranked as by
// `recommend_exact`, as if the user held the products `added` and not the products `without`. Read-only.
// parameters: user_id STRING, without LIST, added LIST, kinds LIST, not_kinds LIST, min_risk INTEGER, max_risk INTEGER, properties LIST, excluded LIST, damaged LIST, query LIST, width INTEGER, length FLOAT, k INTEGER, harmless LIST
// columns:    product STRING, name STRING, score FLOAT
MATCH (u:User {id: $user_id})
WITH u, COLLECT { MATCH (u)-[:HOLDS]->(x:Product) WHERE NOT x.id IN $without RETURN x.id }
  + COLLECT { MATCH (u)-[:DISMISSED]->(y:Product) RETURN y.id } + $added + $excluded + $damaged AS out
CALL (u, out) {
  MATCH (p:Product)
  WHERE
    // include: rules
    AND NOT p.id IN out
    AND ($max_risk IS NULL OR p.risk <= $max_risk)
    AND ($min_risk IS NULL OR p.risk >= $min_risk)
    AND all(pair IN $properties WHERE toLower(toStringOrNull(p[pair[0]])) = pair[1])
    AND (size($kinds) = 0 OR coalesce(toLower(toStringOrNull(p.kind)) IN $kinds, false)
      OR EXISTS { MATCH (p)-[:IN_CATEGORY]->(c:Category) WHERE toLower(toStringOrNull(c.name)) IN $kinds })
    AND NOT coalesce(toLower(toStringOrNull(p.kind)) IN $not_kinds, false)
    AND NOT EXISTS { MATCH (p)-[:IN_CATEGORY]->(d:Category) WHERE toLower(toStringOrNull(d.name)) IN $not_kinds }
  RETURN p, (2 * vector.similarity.cosine(p.embedding_a, $query) - 1) * $length AS heads, 0.0 AS linked
  UNION ALL
  // include: linking_products
  WITH n WHERE NOT n.id IN $without
  // include: linked_products
  UNION ALL
  MATCH (n:Product)
  WHERE n.id IN $added AND n.similar_a IS NOT NULL
  // include: linked_products
}
// include: rank
