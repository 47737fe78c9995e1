// Return the ties that begin at some users with all properties, in columns.
// parameters: users LIST<STRING>
// columns:    source LIST<STRING>, target LIST<STRING>, properties LIST<MAP>
UNWIND $users AS user_id
MATCH (u:User {id: user_id})-[t:TIED_TO]->(v:User)
RETURN collect(u.id) AS source, collect(v.id) AS target, collect(properties(t)) AS properties
