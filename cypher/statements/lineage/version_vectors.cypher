// Return the vectors of some products in the slot.
// parameters: products LIST<STRING>
// columns:    product STRING, vector LIST
UNWIND $products AS id
MATCH (p:Product {id: id})
RETURN p.id AS product, p.embedding_a AS vector
ORDER BY product
