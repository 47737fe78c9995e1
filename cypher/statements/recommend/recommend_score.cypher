// Return the score of some products for a user's query vector and holdings, ignoring rules; null for a product without vector.
// parameters: user_id STRING, product_ids LIST, query LIST, width INTEGER
// columns:    product STRING, name STRING, score FLOAT
UNWIND $product_ids AS product_id
MATCH (p:Product {id: product_id})
CALL (p) {
  MATCH (u:User {id: $user_id})-[h:HOLDS]->(n:Product)
  WHERE coalesce(h.split, 'train') = 'train' AND p.gid IN [] + n.similar_a
  WITH DISTINCT p, n
  UNWIND [place IN range(0, size(n.similar_a) - 1) WHERE n.similar_a[place] = p.gid] AS place
  RETURN sum(n.similar_weight_a[place]) AS linked
}
WITH p, linked, p.embedding_a AS e
RETURN p.id AS product, coalesce(toStringOrNull(([] + p.name)[0]), p.id) AS name,
  // include: score
ORDER BY product
