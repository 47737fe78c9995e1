// Return the verdict of a custom rule on a user and a product.
// parameters: user_id STRING, product_id STRING
// columns:    passed BOOLEAN
MATCH (u:User {id: $user_id}), (p:Product {id: $product_id})
RETURN true
  // own rules
  AS passed
ORDER BY passed
