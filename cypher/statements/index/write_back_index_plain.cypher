// Create the vector index of the slot, for servers whose search has no filters.
// parameters: width INTEGER
// columns:    none
CREATE VECTOR INDEX product_embedding_a IF NOT EXISTS
FOR (p:Product) ON p.embedding_a
OPTIONS {indexConfig: {
  `vector.dimensions`: $width,
  `vector.similarity_function`: 'cosine',
  `vector.quantization.enabled`: false
}}
