// New users with row number (gid) and properties; the same transaction has found that they are not there.
// parameters: rows LIST<LIST>
// columns:    none
UNWIND $rows AS row
CREATE (u:User)
SET u = row[2], u.id = row[0], u.gid = row[1], u.changed = timestamp()
