// Products by id; one that is there keeps its row number (gid).
// parameters: rows LIST<MAP>
// columns:    none
UNWIND $rows AS row
MERGE (p:Product {id: row.id})
ON CREATE SET p.gid = row.gid
