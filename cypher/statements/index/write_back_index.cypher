// Create the vector index of the slot, with the filter properties of the rules closed, country and risk. Without
// quantisation: the server's default of 1 bit per number has a recall@10 of 0.31.
// parameters: width INTEGER
// columns:    none
CYPHER 25
CREATE VECTOR INDEX product_embedding_a IF NOT EXISTS
FOR (p:Product) ON p.embedding_a WITH [p.market_a, p.open, p.risk]
OPTIONS {indexConfig: {
  `vector.dimensions`: $width,
  `vector.similarity_function`: 'cosine',
  `vector.quantization.type`: 'NONE',
  `vector.default_search_expansion_factor`: 3.0
}}
