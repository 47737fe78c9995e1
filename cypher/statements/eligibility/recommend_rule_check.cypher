// Return nothing; it is planned only, to check that an own rule is a condition that only reads.
// parameters: none
// columns:    product STRING
MATCH (u:User), (p:Product)
WITH u, p LIMIT 0
WHERE true
  // own rules
RETURN p.id AS product
ORDER BY product
