// Delete products that are not in the input, with their relationships.
// parameters: rows LIST<STRING>
// columns:    none
UNWIND $rows AS product_id
MATCH (p:Product {id: product_id})
DETACH DELETE p
