// Return one page of users in the order of their ids, each with the held and dismissed products, and the row numbers of
// held products in the training split, whose links count.
// parameters: after STRING, size INTEGER
// columns:    user STRING, out LIST, linking LIST
MATCH (u:User) WHERE u.id > $after
WITH u ORDER BY u.id LIMIT $size
RETURN u.id AS user, COLLECT { MATCH (u)-[:HOLDS|DISMISSED]->(x:Product) RETURN x.id } AS out,
       COLLECT {
         MATCH (u)-[h:HOLDS]->(n:Product)
         WHERE coalesce(h.split, 'train') = 'train' AND n.gid IS NOT NULL
         RETURN DISTINCT n.gid
       } AS linking
ORDER BY user
