// Return the vectors of some users in the slot.
// parameters: size INTEGER
// columns:    gid INTEGER, vector LIST
MATCH (u:User) WHERE u.embedding_a IS NOT NULL
WITH u LIMIT $size
RETURN u.gid AS gid, u.embedding_a AS vector
ORDER BY gid
