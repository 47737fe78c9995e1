// Return a product and a version as the components of scores need them.
// parameters: product_id STRING, version STRING
// columns:    product_gid INTEGER, embedding LIST, general LIST, tie_weight FLOAT
MATCH (p:Product {id: $product_id})
MATCH (v:EmbeddingVersion {name: $version})
RETURN p.gid AS product_gid, p.embedding_a AS embedding, v.general AS general, v.tie_weight AS tie_weight
ORDER BY product_gid
