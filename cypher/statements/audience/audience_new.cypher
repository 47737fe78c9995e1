// Return the users without a row number, who came after the last export, whom the rules allow a product.
// parameters: product_id STRING, harmless LIST
// columns:    ids LIST
MATCH (p:Product {id: $product_id})
MATCH (u:User)
WHERE u.gid IS NULL AND u.id IS NOT NULL AND NOT EXISTS { (u)-[:HOLDS|DISMISSED]->(p) } AND
  // include: rules
RETURN collect(u.id) AS ids
ORDER BY size(ids)
