// Return one page of users in the order of their ids, in columns, with all properties and dismissed products.
// parameters: after STRING, at_once INTEGER
// columns:    ids LIST<STRING>, properties LIST<MAP>, dismissed LIST<LIST>
MATCH (u:User) WHERE u.id > $after
WITH u ORDER BY u.id LIMIT $at_once
RETURN collect(u.id) AS ids, collect(properties(u)) AS properties,
       collect(COLLECT { MATCH (u)-[:DISMISSED]->(p:Product) RETURN p.id }) AS dismissed
