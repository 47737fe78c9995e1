// Return the products that a user holds, with kind, categories and risk.
// parameters: user_id STRING, most INTEGER
// columns:    product STRING, name STRING, kind STRING, categories LIST, risk INTEGER
MATCH (u:User {id: $user_id})
MATCH (p:Product)
WHERE EXISTS { MATCH (u)-[:HOLDS]->(p) }
RETURN p.id AS product, coalesce(toStringOrNull(([] + p.name)[0]), p.id) AS name, toStringOrNull(p.kind) AS kind,
  COLLECT { MATCH (p)-[:IN_CATEGORY]->(c:Category) RETURN DISTINCT toStringOrNull(c.name) AS category ORDER BY category } AS categories,
  p.risk AS risk
ORDER BY product
LIMIT $most
