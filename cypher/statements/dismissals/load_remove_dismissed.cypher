// Remove the dismissals of an earlier load between users and products: user, product, any rating.
// parameters: rows LIST<LIST>
// columns:    none
UNWIND $rows AS row
MATCH (u:User {gid: row[0]})
MATCH (p:Product {gid: row[1]})
MATCH (u)-[d:DISMISSED {loaded: true}]->(p)
SET u.changed = timestamp()
DELETE d
