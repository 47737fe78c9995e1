// Return the holdings of some users with all properties, in columns.
// parameters: users LIST<STRING>
// columns:    source LIST<STRING>, target LIST<STRING>, properties LIST<MAP>
UNWIND $users AS user_id
MATCH (u:User {id: user_id})-[h:HOLDS]->(p:Product)
RETURN collect(u.id) AS source, collect(p.id) AS target, collect(properties(h)) AS properties
