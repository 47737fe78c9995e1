// Create users with id, row number (gid) and properties; the same transaction checks that they do not exist.
// parameters: rows LIST<MAP>
// columns:    none
UNWIND $rows AS row
CREATE (u:User)
SET u = row {.*, changed: timestamp()}
