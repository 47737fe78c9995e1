// Return the users of a range whom the version knows, with their neighbours in the training split as they are now.
// `counted` is the fingerprint of those at the export, `origin` the similarity of the stored vector to zero, from which
// its length follows: null without a vector. Neighbours are internal ids, so that they are not read.
// parameters: first INTEGER, end INTEGER, cut INTEGER, zeros LIST
// columns:    gid INTEGER, node INTEGER, counted INTEGER, origin FLOAT, held LIST, tied LIST
MATCH (u:User)
WHERE $first <= u.gid < $end AND u.counted_a IS NOT NULL
RETURN u.gid AS gid, id(u) AS node, u.counted_a AS counted, vector.similarity.euclidean(u.embedding_a, $zeros) AS origin,
       COLLECT { MATCH (u)-[h:HOLDS]->(p) WHERE coalesce(h.split, 'train') = 'train' RETURN id(p) } AS held,
       COLLECT {
         MATCH (u)-[t:TIED_TO]-(f)
         WHERE coalesce(t.split, 'train') = 'train' AND ($cut IS NULL OR t.at IS NULL OR t.at <= $cut)
         RETURN id(f)
       } AS tied
ORDER BY gid
