// Update users whose properties differ from the input; a property without a value is removed.
// parameters: rows LIST<LIST>
// columns:    none
UNWIND $rows AS row
MATCH (u:User {gid: row[0]})
SET u += row[1], u.changed = timestamp()
