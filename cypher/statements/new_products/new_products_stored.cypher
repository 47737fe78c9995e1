// Return what the slot stores of some products, where it has a vector.
// parameters: gids LIST
// columns:    gid INTEGER, vector LIST, message LIST, targets LIST, weights LIST, is_new BOOLEAN
UNWIND $gids AS gid
MATCH (p:Product {gid: gid}) WHERE p.embedding_a IS NOT NULL
RETURN p.gid AS gid, p.embedding_a AS vector, p.message_a AS message, p.similar_a AS targets, p.similar_weight_a AS weights,
       p.new_a IS NOT NULL AS is_new
ORDER BY gid
