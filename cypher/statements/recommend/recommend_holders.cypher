// Return the number of holders of each of some products.
// parameters: product_ids LIST
// columns:    product STRING, holders INTEGER
UNWIND $product_ids AS product_id
MATCH (p:Product {id: product_id})
RETURN p.id AS product, COUNT { (p)<-[:HOLDS]-() } AS holders
ORDER BY product
