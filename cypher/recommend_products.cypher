// One page of products in the order of their ids: what all users' lists are made from.
// parameters: after STRING, size INTEGER
// columns:    product STRING, embedding LIST, holders INTEGER
MATCH (p:Product) WHERE p.id > $after
WITH p ORDER BY p.id LIMIT $size
RETURN p.id AS product, p.embedding_a AS embedding, COUNT { (p)<-[:HOLDS]-() } AS holders
ORDER BY product
