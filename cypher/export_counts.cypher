// What an export is about to read: row numbers end below `users_end` and `products_end`.
// parameters: none
// columns:    users_end INTEGER, products_end INTEGER, users_without_gid INTEGER, products_without_gid INTEGER, without_id INTEGER
CALL () {
  MATCH (u:User)
  RETURN coalesce(max(u.gid), -1) + 1 AS users_end,
         count(*) - count(u.gid) AS users_without_gid,
         count(*) - count(u.id) AS users_without_id
}
CALL () {
  MATCH (p:Product)
  RETURN coalesce(max(p.gid), -1) + 1 AS products_end,
         count(*) - count(p.gid) AS products_without_gid,
         count(*) - count(p.id) AS products_without_id
}
RETURN users_end, products_end, users_without_gid, products_without_gid,
       users_without_id + products_without_id AS without_id
