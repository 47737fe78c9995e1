// Return the users of a range whom the version knows, with their neighbours in the training split as they are now.
// `counted` is the fingerprint of those at the export, `origin` the similarity of the stored vector to zero, from which
// its length follows: 0 without a vector. Neighbours are internal ids, so that they are not read. One record of columns takes the
// driver a tenth of the time of one record a user.
// parameters: first INTEGER, end INTEGER, cut INTEGER, zeros LIST
// columns:    gids LIST, nodes LIST, counted LIST, origin LIST, held LIST, tied LIST
MATCH (u:User)
WHERE $first <= u.gid < $end AND u.counted_a IS NOT NULL
WITH u, coalesce(vector.similarity.euclidean(u.embedding_a, $zeros), 0.0) AS origin,
     COLLECT { MATCH (u)-[h:HOLDS]->(p) WHERE coalesce(h.split, 'train') = 'train' RETURN id(p) } AS held,
     COLLECT {
       MATCH (u)-[t:TIED_TO]-(f)
       WHERE coalesce(t.split, 'train') = 'train' AND ($cut IS NULL OR t.at IS NULL OR t.at <= $cut)
       RETURN id(f)
     } AS tied
ORDER BY u.gid
RETURN collect(u.gid) AS gids, collect(id(u)) AS nodes, collect(u.counted_a) AS counted,
       collect(origin) AS origin, collect(held) AS held, collect(tied) AS tied
ORDER BY size(gids)
