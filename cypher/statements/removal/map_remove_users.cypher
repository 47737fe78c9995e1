// Remove all properties that kinfolio wrote from some users; repeat until it returns 0.
// parameters: size INTEGER
// columns:    removed INTEGER
MATCH (u:User)
WHERE u.gid IS NOT NULL OR u.changed IS NOT NULL
   OR u.embedding_a IS NOT NULL OR u.message_a IS NOT NULL OR u.own_a IS NOT NULL OR u.counted_a IS NOT NULL
   OR u.embedding_b IS NOT NULL OR u.message_b IS NOT NULL OR u.own_b IS NOT NULL OR u.counted_b IS NOT NULL
WITH u LIMIT $size
REMOVE u.gid, u.changed, u.embedding_a, u.message_a, u.own_a, u.counted_a,
       u.embedding_b, u.message_b, u.own_b, u.counted_b
RETURN count(u) AS removed
