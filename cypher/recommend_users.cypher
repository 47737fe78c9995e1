// One page of users in the order of their ids, each with the products that are held or dismissed.
// parameters: after STRING, size INTEGER
// columns:    user STRING, out LIST
MATCH (u:User) WHERE u.id > $after
WITH u ORDER BY u.id LIMIT $size
RETURN u.id AS user, COLLECT { MATCH (u)-[:HOLDS|DISMISSED]->(x:Product) RETURN x.id } AS out
ORDER BY user
