// Return the ids and names of all users: candidates of a sample, and names that texts must not contain.
// parameters: none
// columns:    id STRING, name STRING
MATCH (u:User)
WHERE u.id IS NOT NULL
RETURN u.id AS id, coalesce(toStringOrNull(([] + u.name)[0]), '') AS name
ORDER BY id
