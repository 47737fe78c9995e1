// Products by id, with row number (gid) and properties; one that is there is left alone.
// parameters: rows LIST<LIST>
// columns:    none
UNWIND $rows AS row
MERGE (p:Product {id: row[0]})
ON CREATE SET p.gid = row[1], p.changed = timestamp(), p += row[2]
