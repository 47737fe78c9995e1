// Store that a user holds products: id, request of the list that showed it, time; a holding that exists stays as it is.
// No row if user or product does not exist. The first SET locks the user, as a load does.
// parameters: user_id STRING, rows LIST<LIST>
// columns:    product STRING
MATCH (u:User {id: $user_id})
SET u.gid = u.gid
WITH u
UNWIND $rows AS row
MATCH (p:Product {id: row[0]})
MERGE (u)-[h:HOLDS]->(p)
ON CREATE SET h.request = row[1], h.at = row[2], u.changed = timestamp()
RETURN DISTINCT p.id AS product
ORDER BY product
