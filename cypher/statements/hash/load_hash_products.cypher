// Return one page of products in the order of their ids, in columns, with all properties and categories.
// parameters: after STRING, at_once INTEGER
// columns:    ids LIST<STRING>, properties LIST<MAP>, categories LIST<LIST>
MATCH (p:Product) WHERE p.id > $after
WITH p ORDER BY p.id LIMIT $at_once
RETURN collect(p.id) AS ids, collect(properties(p)) AS properties,
       collect(COLLECT { MATCH (p)-[:IN_CATEGORY]->(c:Category) RETURN c.name }) AS categories
