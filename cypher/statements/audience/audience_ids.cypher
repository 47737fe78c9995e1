// Return the ids of users by their row numbers.
// parameters: gids LIST
// columns:    gid INTEGER, user STRING
UNWIND $gids AS gid
MATCH (u:User {gid: gid})
RETURN u.gid AS gid, u.id AS user
ORDER BY gid
