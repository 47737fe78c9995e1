// Return the query vector of a user as if some holdings were removed and others added; see the part `fold_in`. The column
// `added` has the ids of those that the user does not hold.
// parameters: user_id STRING, without LIST, added LIST, only STRING, checked BOOLEAN
// columns:    user STRING, version STRING, slot STRING, heads INTEGER, dim INTEGER, length FLOAT, source STRING, added LIST, query LIST
MATCH (u:User {id: $user_id})
WITH u, null AS place
WITH u, false AS is_stored,
     // include: active_version
WITH *,
     COLLECT {
       MATCH (u)-[h:HOLDS]->(p:Product)
       WHERE coalesce(h.split, 'train') = 'train' AND NOT p.id IN $without
       RETURN DISTINCT p
     } AS remaining,
     COLLECT {
       MATCH (n:Product)
       WHERE n.id IN $added AND NOT EXISTS {
         MATCH (u)-[g:HOLDS]->(n) WHERE coalesce(g.split, 'train') = 'train'
       }
       RETURN n
     } AS fresh
WITH *, remaining + fresh AS held,
     // include: neighbours
// include: fold_in
RETURN u.id AS user, v.name AS version, v.slot AS slot, v.heads AS heads, v.dim AS dim, v.length AS length, source,
       [n IN fresh | n.id] AS added, query
ORDER BY user
