// What the input says of users; a property without a value is removed.
// parameters: rows LIST<MAP>
// columns:    none
UNWIND $rows AS row
MATCH (u:User {gid: row.user})
SET u += row.properties
