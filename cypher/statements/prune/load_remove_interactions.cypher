// Delete holdings that are not in the input.
// parameters: rows LIST<LIST>
// columns:    none
UNWIND $rows AS row
MATCH (u:User {gid: row[0]})
MATCH (p:Product {gid: row[1]})
MATCH (u)-[h:HOLDS]->(p)
SET u.changed = timestamp()
DELETE h
