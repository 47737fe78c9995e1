// Return the number of nodes with properties of the slot, the index of the slot not counted.
// parameters: none
// columns:    nodes INTEGER
CALL () { MATCH (p:Product) WHERE p.embedding_a IS NOT NULL RETURN count(p) AS products }
CALL () { MATCH (u:User) WHERE u.counted_a IS NOT NULL RETURN count(u) AS users }
RETURN products + users AS nodes
ORDER BY nodes
