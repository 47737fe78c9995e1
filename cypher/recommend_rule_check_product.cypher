// Nothing: planned only, to see whether an own rule speaks of the product alone.
// parameters: none
// columns:    product STRING
MATCH (p:Product)
WITH p LIMIT 0
WHERE true
  // own rules
RETURN p.id AS product
ORDER BY product
