// New products with row number (gid) and properties; the same transaction has found that they are not there.
// parameters: rows LIST<LIST>
// columns:    none
UNWIND $rows AS row
CREATE (p:Product)
SET p = row[2], p.id = row[0], p.gid = row[1], p.changed = timestamp()
