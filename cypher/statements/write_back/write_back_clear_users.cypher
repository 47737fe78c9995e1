// Remove all properties of the slot from some users.
// parameters: rows LIST, writer STRING
// columns:    cleared INTEGER
MATCH (v:EmbeddingVersion {state: 'writing', writer: $writer})
SET v.beat = timestamp()
WITH v
UNWIND $rows AS gid
MATCH (u:User {gid: gid})
REMOVE u.embedding_a, u.message_a, u.own_a, u.counted_a
RETURN count(u) AS cleared
