// Return what the own text of each of some users adds to the vector; users without text are left out.
// parameters: user_ids LIST
// columns:    user STRING, own LIST
UNWIND $user_ids AS user_id
MATCH (u:User {id: user_id})
WHERE u.own_a IS NOT NULL
RETURN u.id AS user, u.own_a AS own
ORDER BY user
