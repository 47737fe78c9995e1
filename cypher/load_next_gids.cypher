// The row numbers (gid) that the next new user and the next new product get.
// parameters: none
// columns:    user INTEGER, product INTEGER
CALL () { MATCH (u:User) RETURN coalesce(max(u.gid), -1) + 1 AS user }
CALL () { MATCH (p:Product) RETURN coalesce(max(p.gid), -1) + 1 AS product }
RETURN user, product
