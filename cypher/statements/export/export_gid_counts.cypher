// Return the end of the row numbers (gid) of users and products, the number of nodes with one, and the sums.
// parameters: none
// columns:    users_end INTEGER, users INTEGER, users_sum INTEGER, products_end INTEGER, products INTEGER, products_sum INTEGER
CALL () {
  MATCH (u:User) WHERE u.gid >= 0
  RETURN coalesce(max(u.gid), -1) + 1 AS users_end, count(*) AS users, sum(u.gid) AS users_sum
}
CALL () {
  MATCH (p:Product) WHERE p.gid >= 0
  RETURN coalesce(max(p.gid), -1) + 1 AS products_end, count(*) AS products, sum(p.gid) AS products_sum
}
RETURN users_end, users, users_sum, products_end, products, products_sum
