// Store that a user dismisses products: each row begins with the product's id; no row if user or product does not exist.
// parameters: user_id STRING, rows LIST<LIST>
// columns:    product STRING
MATCH (u:User {id: $user_id})
UNWIND $rows AS row
MATCH (p:Product {id: row[0]})
MERGE (u)-[:DISMISSED]->(p)
RETURN DISTINCT p.id AS product
ORDER BY product
