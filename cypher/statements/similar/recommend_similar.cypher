// Return the k open products most similar to a product: cosine of the vectors without their last two numbers, the
// popularity term and the padding to equal length. Preselected by a cosine that omits those numbers on one side only,
// then rescored in 64 bits.
// parameters: product_id STRING, width INTEGER, damaged LIST, k INTEGER
// columns:    product STRING, name STRING, score FLOAT
MATCH (t:Product {id: $product_id})
WITH t, t.embedding_a[0..$width - 2] AS target
WITH t, target, target + [0.0, 0.0] AS query,
     reduce(total = 0.0, x IN t.embedding_a | total + x * x) AS square
MATCH (p:Product)
WHERE p <> t AND coalesce(p.open, true) = true AND NOT p.id IN $damaged
WITH p, p.embedding_a AS e, target, square, vector.similarity.cosine(p.embedding_a, query) AS near
WHERE near IS NOT NULL
// All rows have the same length, so `rest`, the squared length without the last two numbers, needs no sum.
WITH p, e, target, square, near, square - e[$width - 2] * e[$width - 2] - e[$width - 1] * e[$width - 1] AS rest
WHERE rest > 0.000001 * square
WITH p, e, target, (2 * near - 1) / sqrt(rest) AS near ORDER BY near DESC, p.id LIMIT $k + 10
WITH p, reduce(total = 0.0, d IN range(0, $width - 3) | total + e[d] * target[d]) AS dot,
     reduce(total = 0.0, d IN range(0, $width - 3) | total + e[d] * e[d]) AS square_of_p,
     reduce(total = 0.0, x IN target | total + x * x) AS square_of_t
RETURN p.id AS product, coalesce(toStringOrNull(([] + p.name)[0]), p.id) AS name, dot / sqrt(square_of_p * square_of_t) AS score
ORDER BY score DESC, product
LIMIT $k
