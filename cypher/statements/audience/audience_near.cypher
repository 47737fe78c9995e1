// Return the users of a range whom the rules allow a product, each with the similarity of the stored vector to the
// product's, exact to 32 bits, from 0 to 1; null without a stored vector. Ignores holdings and dismissals.
// parameters: product_id STRING, first INTEGER, end INTEGER, embedding LIST, harmless LIST
// columns:    gids LIST, near LIST
MATCH (p:Product {id: $product_id})
MATCH (u:User)
WHERE $first <= u.gid < $end AND u.id IS NOT NULL AND
  // include: rules
WITH u.gid AS gid, coalesce(vector.similarity.cosine(u.embedding_a, $embedding), -1.0) AS near
RETURN collect(gid) AS gids, collect(near) AS near
ORDER BY size(gids)
