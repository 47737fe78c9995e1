// Users by id; one that is there keeps its row number (gid).
// parameters: rows LIST<MAP>
// columns:    none
UNWIND $rows AS row
MERGE (u:User {id: row.id})
ON CREATE SET u.gid = row.gid
