// Return no rows; only planned, to check that a custom rule is a read-only condition.
// parameters: none
// columns:    product STRING
MATCH (u:User), (p:Product)
WITH u, p LIMIT 0
WHERE true
  // own rules
RETURN p.id AS product
ORDER BY product
