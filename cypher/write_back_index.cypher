// The vector index of the slot. Without quantisation: the server's default keeps 1 bit a number and finds .31 of the best ten.
// parameters: width INTEGER
// columns:    none
CREATE VECTOR INDEX product_embedding_a IF NOT EXISTS
FOR (p:Product) ON p.embedding_a
OPTIONS {indexConfig: {
  `vector.dimensions`: $width,
  `vector.similarity_function`: 'cosine',
  `vector.quantization.type`: 'NONE',
  `vector.default_search_expansion_factor`: 3.0
}}
