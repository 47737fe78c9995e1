// Update reviews whose properties differ from the input; a property without a value is removed.
// parameters: rows LIST<LIST>
// columns:    none
UNWIND $rows AS row
MATCH (r:Review {id: row[0]})
MATCH (u:User {gid: row[1]})
SET r += row[2], u.changed = timestamp()
