// Update products whose properties differ from the input; a property without a value is removed.
// parameters: rows LIST<LIST>
// columns:    none
UNWIND $rows AS row
MATCH (p:Product {gid: row[0]})
SET p += row[1], p.changed = timestamp()
