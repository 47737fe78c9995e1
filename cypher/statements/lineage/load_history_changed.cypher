// Return the number of users and products that changed after a time, by the server's clock.
// parameters: since INTEGER
// columns:    nodes INTEGER
CALL () { MATCH (u:User) WHERE u.changed > $since RETURN count(u) AS users }
CALL () { MATCH (p:Product) WHERE p.changed > $since RETURN count(p) AS products }
RETURN users + products AS nodes
ORDER BY nodes
