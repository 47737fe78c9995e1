// Create holdings by events: user, product, time, request of the list that showed the product. A holding that exists stays as it is.
// parameters: rows LIST<LIST>
// columns:    none
UNWIND $rows AS row
MATCH (u:User {gid: row[0]})
MATCH (p:Product {gid: row[1]})
MERGE (u)-[h:HOLDS]->(p)
ON CREATE SET h.at = row[2], h.request = row[3], u.changed = timestamp()
