// Return one page of users in the order of their ids, in columns, with their neighbours in the training split as internal ids.
// `counted` is the fingerprint of those at the training, -1 for a user who came after it. Ties later than its cut do not count.
// parameters: after STRING, size INTEGER, cut INTEGER
// columns:    ids LIST, gids LIST, nodes LIST, counted LIST, held LIST, tied LIST
MATCH (u:User) WHERE u.id > $after
WITH u ORDER BY u.id LIMIT $size
WITH u, COLLECT { MATCH (u)-[h:HOLDS]->(p) WHERE coalesce(h.split, 'train') = 'train' RETURN id(p) } AS held,
     COLLECT {
       MATCH (u)-[t:TIED_TO]-(f)
       WHERE u.counted_a IS NOT NULL AND coalesce(t.split, 'train') = 'train'
         AND ($cut IS NULL OR t.at IS NULL OR t.at <= $cut)
       RETURN id(f)
     } AS tied
RETURN collect(u.id) AS ids, collect(coalesce(u.gid, -1)) AS gids, collect(id(u)) AS nodes,
       collect(coalesce(u.counted_a, -1)) AS counted, collect(held) AS held, collect(tied) AS tied
ORDER BY size(ids)
