// Holdings, one for each user and product.
// parameters: rows LIST<MAP>
// columns:    none
UNWIND $rows AS row
MATCH (u:User {gid: row.user})
MATCH (p:Product {gid: row.product})
MERGE (u)-[h:HOLDS]->(p)
SET h += row.properties
