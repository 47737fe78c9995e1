// Return the score of a product, ignoring rules, as if the user held the products `added` and not the products `without`;
// null without a vector.
// parameters: user_id STRING, product_id STRING, without LIST, added LIST, query LIST, width INTEGER
// columns:    product STRING, score FLOAT
MATCH (p:Product {id: $product_id})
CALL (p) {
  MATCH (u:User {id: $user_id})-[h:HOLDS]->(n:Product)
  WHERE coalesce(h.split, 'train') = 'train' AND p.gid IN [] + n.similar_a AND NOT n.id IN $without
  WITH DISTINCT p, n
  UNWIND [place IN range(0, size(n.similar_a) - 1) WHERE n.similar_a[place] = p.gid] AS place
  RETURN sum(n.similar_weight_a[place]) AS remaining
}
CALL (p) {
  MATCH (m:Product)
  WHERE m.id IN $added AND p.gid IN [] + m.similar_a
  UNWIND [place IN range(0, size(m.similar_a) - 1) WHERE m.similar_a[place] = p.gid] AS place
  RETURN sum(m.similar_weight_a[place]) AS fresh
}
WITH p, remaining + fresh AS linked, p.embedding_a AS e
RETURN p.id AS product,
  // include: score
ORDER BY product
