// Return users whose id begins with a text or whose name contains it, and the number of their holdings; an equal id first.
// parameters: id STRING, text STRING, most INTEGER
// columns:    id STRING, name STRING, holdings INTEGER
CALL () {
  MATCH (u:User) WHERE u.id STARTS WITH $id
  RETURN u ORDER BY size(u.id), u.id LIMIT $most
  UNION
  MATCH (u:User)
  WHERE $text <> '' AND toLower(toStringOrNull(([] + u.name)[0])) CONTAINS $text
  RETURN u ORDER BY u.id LIMIT $most
}
WITH DISTINCT u ORDER BY u.id = $id DESC, size(u.id), u.id LIMIT $most
RETURN u.id AS id, toStringOrNull(([] + u.name)[0]) AS name,
  COUNT { MATCH (u)-[:HOLDS]->(p:Product) RETURN DISTINCT p } AS holdings
ORDER BY u.id = $id DESC, size(u.id), u.id
