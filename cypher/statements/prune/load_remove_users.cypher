// Delete users that are not in the input, with their relationships.
// parameters: rows LIST<STRING>
// columns:    none
UNWIND $rows AS user_id
MATCH (u:User {id: user_id})
DETACH DELETE u
