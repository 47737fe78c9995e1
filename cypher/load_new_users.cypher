// Users by id, with row number (gid) and properties; one that is there is left alone.
// parameters: rows LIST<LIST>
// columns:    none
UNWIND $rows AS row
MERGE (u:User {id: row[0]})
ON CREATE SET u.gid = row[1], u.changed = timestamp(), u += row[2]
