// Takes out users that the input has no longer, with all that hangs on them.
// parameters: rows LIST<STRING>
// columns:    none
UNWIND $rows AS user_id
MATCH (u:User {id: user_id})
DETACH DELETE u
