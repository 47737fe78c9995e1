// Create the vector index of the slot, with the properties that the rules closed, country and risk filter by. Without
// quantisation: the server's default stores 1 bit a number and finds 0.31 of the best ten.
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
