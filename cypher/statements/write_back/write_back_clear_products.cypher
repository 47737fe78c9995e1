// Remove all properties of the slot from some products.
// parameters: rows LIST, writer STRING
// columns:    cleared INTEGER
MATCH (v:EmbeddingVersion {state: 'writing', writer: $writer})
SET v.beat = timestamp()
WITH v
UNWIND $rows AS gid
MATCH (p:Product {gid: gid})
REMOVE p.embedding_a, p.message_a, p.market_a, p.similar_a, p.similar_weight_a, p.new_a, p.inputs_a
RETURN count(p) AS cleared
