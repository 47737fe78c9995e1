// Return one page of users with what the slot stores on them, to check it.
// parameters: after INTEGER, size INTEGER
// columns:    gid INTEGER, id STRING, vector LIST, message LIST, own LIST
MATCH (u:User) WHERE u.gid > $after AND u.counted_a IS NOT NULL
WITH u ORDER BY u.gid LIMIT $size
RETURN u.gid AS gid, u.id AS id, u.embedding_a AS vector, u.message_a AS message, u.own_a AS own
ORDER BY gid
