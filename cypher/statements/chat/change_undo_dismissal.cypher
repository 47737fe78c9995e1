// Delete a user's dismissal of a product.
// parameters: user_id STRING, product_id STRING
// columns:    none
MATCH (u:User {id: $user_id})-[d:DISMISSED]->(p:Product {id: $product_id})
DELETE d
