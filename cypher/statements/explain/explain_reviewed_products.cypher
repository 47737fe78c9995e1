// Return the products that a user reviewed and whose messages replace the user's text.
// parameters: user_id STRING
// columns:    gid INTEGER, id STRING, name STRING, message LIST
MATCH (u:User {id: $user_id})-[:WROTE]->(r:Review)-[:ABOUT]->(n:Product)
WHERE coalesce(r.split, 'train') = 'train' AND n.message_a IS NOT NULL
WITH DISTINCT n
RETURN n.gid AS gid, n.id AS id, coalesce(toStringOrNull(([] + n.name)[0]), n.id) AS name, n.message_a AS message
ORDER BY gid
