// What the input says of products; a property without a value is removed.
// parameters: rows LIST<MAP>
// columns:    none
UNWIND $rows AS row
MATCH (p:Product {gid: row.product})
SET p += row.properties
