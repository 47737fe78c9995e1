// Return a user's risk tolerance, the lowest and highest risk level of some products and the highest of all; nulls where unknown.
// parameters: user_id STRING, product_ids LIST
// columns:    tolerance INTEGER, lowest INTEGER, highest INTEGER, scale INTEGER
MATCH (u:User {id: $user_id})
OPTIONAL MATCH (p:Product)
WHERE p.risk IS NOT NULL
WITH u.risk_tolerance AS tolerance, max(p.risk) AS scale,
  min(CASE WHEN p.id IN $product_ids THEN p.risk END) AS lowest, max(CASE WHEN p.id IN $product_ids THEN p.risk END) AS highest
RETURN tolerance, lowest, highest, scale
ORDER BY tolerance
