// Return the row numbers (gid) of the next new user and product, and the number of nodes with an id but no row number.
// parameters: none
// columns:    user INTEGER, product INTEGER, users_without INTEGER, products_without INTEGER
CALL () {
  MATCH (u:User)
  RETURN coalesce(max(u.gid), -1) + 1 AS user, count(u.id) - count(u.gid) AS users_without
}
CALL () {
  MATCH (p:Product)
  RETURN coalesce(max(p.gid), -1) + 1 AS product, count(p.id) - count(p.gid) AS products_without
}
RETURN user, product, users_without, products_without
