// Store that a user dismisses a product; no row if either does not exist.
// parameters: user_id STRING, product_id STRING
// columns:    product STRING
MATCH (u:User {id: $user_id})
MATCH (p:Product {id: $product_id})
MERGE (u)-[:DISMISSED]->(p)
RETURN p.id AS product
ORDER BY product
