// Return the names of some products; the id of one without a name.
// parameters: product_ids LIST
// columns:    product STRING, name STRING
UNWIND $product_ids AS product_id
MATCH (p:Product {id: product_id})
WITH p.id AS product, trim(coalesce(toStringOrNull(([] + p.name)[0]), '')) AS name
RETURN product, CASE name WHEN '' THEN product ELSE name END AS name
ORDER BY product
