// Create dismissals by events: user, product. A dismissal and a holding of the pair that exist stay as they are.
// parameters: rows LIST<LIST>
// columns:    none
UNWIND $rows AS row
MATCH (u:User {gid: row[0]})
MATCH (p:Product {gid: row[1]})
MERGE (u)-[d:DISMISSED]->(p)
ON CREATE SET d.loaded = true
