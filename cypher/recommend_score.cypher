// The score of some products for a user's query vector, without any rules; null where a product has no vector.
// parameters: product_ids LIST, query LIST, width INTEGER
// columns:    product STRING, name STRING, score FLOAT
UNWIND $product_ids AS product_id
MATCH (p:Product {id: product_id})
WITH p, p.embedding_a AS e
RETURN p.id AS product, coalesce(p.name, p.id) AS name,
       reduce(total = 0.0, d IN range(0, $width - 1) | total + e[d] * $query[d]) AS score
ORDER BY product
