// Return the user of a conversation; no row if there is none.
// parameters: user_id STRING
// columns:    user STRING
MATCH (u:User {id: $user_id})
RETURN u.id AS user
ORDER BY user
