// The risk tolerance of a user and the highest risk level among some products; nulls where none is known.
// parameters: user_id STRING, product_ids LIST
// columns:    tolerance INTEGER, highest INTEGER
MATCH (u:User {id: $user_id})
OPTIONAL MATCH (p:Product)
WHERE p.id IN $product_ids
RETURN u.risk_tolerance AS tolerance, max(p.risk) AS highest
ORDER BY tolerance
