// Reviews with who wrote them and what they are about.
// parameters: rows LIST<MAP>
// columns:    none
UNWIND $rows AS row
MATCH (u:User {gid: row.user})
MATCH (p:Product {gid: row.product})
MERGE (r:Review {id: row.id})
SET r += row.properties
MERGE (u)-[:WROTE]->(r)
MERGE (r)-[:ABOUT]->(p)
