// Return what is stored about some products: kind, categories, risk, text, own properties, and the number of holders.
// parameters: ids LIST
// columns:    product STRING, name STRING, kind STRING, categories LIST, risk INTEGER, is_open BOOLEAN, sector STRING, text STRING, own MAP, holders INTEGER
MATCH (p:Product)
WHERE p.id IN $ids
RETURN p.id AS product, toStringOrNull(([] + p.name)[0]) AS name, toStringOrNull(p.kind) AS kind,
  COLLECT { MATCH (p)-[:IN_CATEGORY]->(c:Category) RETURN DISTINCT toStringOrNull(c.name) AS category ORDER BY category LIMIT 5 } AS categories,
  p.risk AS risk, coalesce(p.open, true) AS is_open, toStringOrNull(p.sector) AS sector, toStringOrNull(p.text) AS text,
  properties(p) AS own,
  COUNT { MATCH (u:User)-[:HOLDS]->(p) RETURN DISTINCT u } AS holders
ORDER BY product
