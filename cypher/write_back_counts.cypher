// How many nodes carry something of the slot.
// parameters: none
// columns:    products INTEGER, users INTEGER, with_vector INTEGER
CALL () {
  MATCH (p:Product) WHERE p.embedding_a IS NOT NULL
  RETURN count(p) AS products
}
CALL () {
  MATCH (u:User) WHERE u.counted_a IS NOT NULL
  RETURN count(u) AS users, count(u.embedding_a) AS with_vector
}
RETURN products, users, with_vector
ORDER BY products
