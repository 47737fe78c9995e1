// Return the row numbers of users and products that changed at a time or later, by the server's clock.
// parameters: since INTEGER
// columns:    users LIST<INTEGER>, products LIST<INTEGER>
CALL () { MATCH (u:User) WHERE u.changed >= $since RETURN collect(u.gid) AS users }
CALL () { MATCH (p:Product) WHERE p.changed >= $since RETURN collect(p.gid) AS products }
RETURN users, products
