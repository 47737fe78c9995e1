// Return a user's risk tolerance and the highest risk level of some products; nulls where unknown.
// parameters: user_id STRING, product_ids LIST
// columns:    tolerance INTEGER, highest INTEGER
MATCH (u:User {id: $user_id})
OPTIONAL MATCH (p:Product)
WHERE p.id IN $product_ids
RETURN u.risk_tolerance AS tolerance, max(p.risk) AS highest
ORDER BY tolerance
