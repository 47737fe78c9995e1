// Return the users who hold or dismissed a product, and the largest row number of a user; -1 without one.
// parameters: product_id STRING
// columns:    out LIST, last INTEGER
OPTIONAL MATCH (p:Product {id: $product_id})
RETURN COLLECT { MATCH (p)<-[:HOLDS|DISMISSED]-(u:User) RETURN u.gid } AS out,
       coalesce(head(COLLECT { MATCH (u:User) WHERE u.gid IS NOT NULL RETURN u.gid ORDER BY u.gid DESC LIMIT 1 }), -1) AS last
ORDER BY last
