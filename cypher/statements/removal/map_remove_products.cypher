// Remove all properties that kinfolio wrote from some products; repeat until it returns 0.
// parameters: size INTEGER
// columns:    removed INTEGER
MATCH (p:Product)
WHERE p.gid IS NOT NULL OR p.changed IS NOT NULL
   OR p.embedding_a IS NOT NULL OR p.message_a IS NOT NULL OR p.market_a IS NOT NULL OR p.similar_a IS NOT NULL
   OR p.embedding_b IS NOT NULL OR p.message_b IS NOT NULL OR p.market_b IS NOT NULL OR p.similar_b IS NOT NULL
WITH p LIMIT $size
REMOVE p.gid, p.changed, p.embedding_a, p.message_a, p.market_a, p.similar_a, p.similar_weight_a, p.new_a, p.inputs_a,
       p.embedding_b, p.message_b, p.market_b, p.similar_b, p.similar_weight_b, p.new_b, p.inputs_b
RETURN count(p) AS removed
