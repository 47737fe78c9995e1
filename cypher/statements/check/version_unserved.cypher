// Return the number of products without a vector in the slot, and one of them.
// parameters: none
// columns:    products INTEGER, example STRING
MATCH (p:Product) WHERE p.embedding_a IS NULL
RETURN count(p) AS products, min(p.id) AS example
ORDER BY products
