// Return some users with their stored vectors and the sum of the links from their holdings to a product.
// parameters: product_id STRING, gids LIST, ids LIST
// columns:    gid INTEGER, user STRING, name STRING, embedding LIST, linked FLOAT
MATCH (p:Product {id: $product_id})
CALL () {
  UNWIND $gids AS gid
  MATCH (u:User {gid: gid})
  RETURN u
  UNION ALL
  UNWIND $ids AS user_id
  MATCH (u:User {id: user_id})
  RETURN u
}
CALL (p, u) {
  MATCH (u)-[h:HOLDS]->(n:Product)
  WHERE coalesce(h.split, 'train') = 'train' AND p.gid IN [] + n.similar_a
  WITH DISTINCT p, n
  UNWIND [place IN range(0, size(n.similar_a) - 1) WHERE n.similar_a[place] = p.gid] AS place
  RETURN sum(n.similar_weight_a[place]) AS linked
}
RETURN u.gid AS gid, u.id AS user, coalesce(toStringOrNull(([] + u.name)[0]), u.id) AS name, u.embedding_a AS embedding, linked
ORDER BY user
