// Takes out products that the input has no longer, with all that hangs on them.
// parameters: rows LIST<STRING>
// columns:    none
UNWIND $rows AS product_id
MATCH (p:Product {id: product_id})
DETACH DELETE p
