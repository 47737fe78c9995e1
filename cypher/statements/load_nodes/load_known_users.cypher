// Return the existing users among some ids.
// parameters: ids LIST<STRING>
// columns:    id STRING, gid INTEGER
UNWIND $ids AS user_id
MATCH (u:User {id: user_id})
RETURN u.id AS id, u.gid AS gid
ORDER BY gid
