// Ids and names of all users, to draw from and to look for where nobody may be named.
// parameters: none
// columns:    id STRING, name STRING
MATCH (u:User)
WHERE u.id IS NOT NULL
RETURN u.id AS id, coalesce(toStringOrNull(u.name), '') AS name
ORDER BY id
