// Update holdings whose properties differ from the input; a property without a value is removed.
// parameters: rows LIST<LIST>
// columns:    none
UNWIND $rows AS row
MATCH (u:User {gid: row[0]})
MATCH (p:Product {gid: row[1]})
MATCH (u)-[h:HOLDS]->(p)
SET h += row[2], u.changed = timestamp()
