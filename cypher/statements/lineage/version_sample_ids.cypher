// Return some users who have a vector in the slot, in the order of their row numbers.
// parameters: size INTEGER
// columns:    id STRING
MATCH (u:User) WHERE u.embedding_a IS NOT NULL
WITH u ORDER BY u.gid LIMIT $size
RETURN u.id AS id
ORDER BY u.gid
