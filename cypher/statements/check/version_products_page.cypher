// Return one page of products with what the slot stores on them, to check it.
// parameters: after INTEGER, size INTEGER
// columns:    gid INTEGER, id STRING, vector LIST, message LIST, targets LIST, weights LIST
MATCH (p:Product) WHERE p.gid > $after AND p.embedding_a IS NOT NULL
WITH p ORDER BY p.gid LIMIT $size
RETURN p.gid AS gid, p.id AS id, p.embedding_a AS vector, p.message_a AS message, p.similar_a AS targets,
       p.similar_weight_a AS weights
ORDER BY gid
