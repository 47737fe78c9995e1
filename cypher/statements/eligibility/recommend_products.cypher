// Return one page of products in the order of their ids, to rank them for all users at once.
// parameters: after STRING, size INTEGER
// columns:    product STRING, gid INTEGER, embedding LIST, holders INTEGER, similar LIST, weights LIST
MATCH (p:Product) WHERE p.id > $after
WITH p ORDER BY p.id LIMIT $size
RETURN p.id AS product, p.gid AS gid, p.embedding_a AS embedding, COUNT { (p)<-[:HOLDS]-() } AS holders,
       p.similar_a AS similar, p.similar_weight_a AS weights
ORDER BY product
