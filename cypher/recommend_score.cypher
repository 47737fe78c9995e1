// The score of some products for a user's query vector, without any rules; null where a product has no vector.
// parameters: product_ids LIST, query LIST, width INTEGER
// columns:    product STRING, name STRING, score FLOAT
CYPHER 25
WITH vector($query, $width, FLOAT64) AS q
UNWIND $product_ids AS product_id
MATCH (p:Product {id: product_id})
RETURN p.id AS product, coalesce(p.name, p.id) AS name,
       -vector_distance(vector(p.embedding_a, $width, FLOAT64), q, DOT) AS score
ORDER BY product
