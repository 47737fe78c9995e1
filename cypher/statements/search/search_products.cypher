// Return products whose id begins with a text or whose name contains it, and the number of their holders; an equal id first.
// parameters: id STRING, text STRING, most INTEGER
// columns:    id STRING, name STRING, holdings INTEGER
CALL () {
  MATCH (p:Product) WHERE p.id STARTS WITH $id
  RETURN p ORDER BY size(p.id), p.id LIMIT $most
  UNION
  MATCH (p:Product)
  WHERE $text <> '' AND toLower(toStringOrNull(([] + p.name)[0])) CONTAINS $text
  RETURN p ORDER BY p.id LIMIT $most
}
WITH DISTINCT p ORDER BY p.id = $id DESC, size(p.id), p.id LIMIT $most
RETURN p.id AS id, toStringOrNull(([] + p.name)[0]) AS name,
  COUNT { MATCH (u:User)-[:HOLDS]->(p) RETURN DISTINCT u } AS holdings
ORDER BY p.id = $id DESC, size(p.id), p.id
