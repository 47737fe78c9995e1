// Return the relationship types of the graph and the number of relationships of each.
// parameters: none
// columns:    type STRING, links INTEGER
CALL db.relationshipTypes() YIELD relationshipType AS type
CALL (type) { MATCH ()-[r:$(type)]->() RETURN count(r) AS links }
WITH type, links WHERE links > 0
RETURN type, links
ORDER BY links DESC, type
