// Return what a product that came after the training is known by in the slot; null for one of the training.
// parameters: product_id STRING
// columns:    known_by LIST
MATCH (p:Product {id: $product_id})
RETURN p.new_a AS known_by
ORDER BY p.id
