// Nothing: planned only, to see whether an own rule is a condition that reads.
// parameters: none
// columns:    product STRING
MATCH (u:User), (p:Product)
WITH u, p LIMIT 0
WHERE true
  // own rules
RETURN p.id AS product
ORDER BY product
