// New products with id, row number (gid) and properties; the same transaction has found that they are not there.
// parameters: rows LIST<MAP>
// columns:    none
UNWIND $rows AS row
CREATE (p:Product)
SET p = row {.*, changed: timestamp()}
