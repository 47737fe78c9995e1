// Return the k open products most similar to one: cosine of the vectors without the popularity term and the padding
// that makes all vectors equally long. Preselected by a cosine that leaves those two numbers out of one side only, then
// scored in 64 bits.
// parameters: product_id STRING, width INTEGER, k INTEGER
// columns:    product STRING, name STRING, score FLOAT
MATCH (t:Product {id: $product_id})
WITH t, t.embedding_a[0..$width - 2] AS mine
WITH t, mine, mine + [0.0, 0.0] AS query,
     reduce(total = 0.0, x IN t.embedding_a | total + x * x) AS square
MATCH (p:Product)
WHERE p <> t AND coalesce(p.open, true) = true
WITH p, p.embedding_a AS e, mine, square, vector.similarity.cosine(p.embedding_a, query) AS near
WHERE near IS NOT NULL
// All rows have one length, so what is left without the two last numbers is known.
WITH p, e, mine, square, near, square - e[$width - 2] * e[$width - 2] - e[$width - 1] * e[$width - 1] AS left
WHERE left > 0.000001 * square
WITH p, e, mine, (2 * near - 1) / sqrt(left) AS near ORDER BY near DESC, p.id LIMIT $k + 10
WITH p, reduce(total = 0.0, d IN range(0, $width - 3) | total + e[d] * mine[d]) AS dot,
     reduce(total = 0.0, d IN range(0, $width - 3) | total + e[d] * e[d]) AS one,
     reduce(total = 0.0, x IN mine | total + x * x) AS other
RETURN p.id AS product, coalesce(p.name, p.id) AS name, dot / sqrt(one * other) AS score
ORDER BY score DESC, product
LIMIT $k
