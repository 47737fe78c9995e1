// Return what some users hold in the training split, once a product, and the row numbers of the users tied to them who were in
// the training. `out`: products that are left out of their lists for another reason.
// parameters: users LIST, cut INTEGER
// columns:    user STRING, counted INTEGER, held LIST, tied LIST, out LIST
UNWIND $users AS user_id
MATCH (u:User {id: user_id})
RETURN u.id AS user, u.counted_a AS counted,
       COLLECT {
         MATCH (u)-[h:HOLDS]->(p:Product)
         WHERE coalesce(h.split, 'train') = 'train'
         WITH p, max(h.at) AS at
         RETURN {product: p.id, gid: p.gid, at: at, is_listed: p.market_a IS NOT NULL, is_new: p.new_a IS NOT NULL}
       } AS held,
       COLLECT {
         MATCH (u)-[t:TIED_TO]-(f:User)
         WHERE coalesce(t.split, 'train') = 'train' AND f <> u AND f.counted_a IS NOT NULL
           AND ($cut IS NULL OR t.at IS NULL OR t.at <= $cut)
         RETURN DISTINCT f.gid
       } AS tied,
       COLLECT {
         MATCH (u)-[h:HOLDS]->(p:Product) WHERE coalesce(h.split, 'train') <> 'train'
         RETURN p.id
         UNION
         MATCH (u)-[:DISMISSED]->(p:Product)
         RETURN p.id
       } AS out
ORDER BY user
