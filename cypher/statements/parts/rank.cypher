// The k best of products `p` by the cosine of their heads in 32 bits plus links, rescored in 64 bits.
WITH p, max(heads) AS heads, sum(linked) AS linked
WHERE heads IS NOT NULL
WITH p, linked ORDER BY heads + linked DESC, p.id LIMIT $k + 10
WITH p, linked, p.embedding_a AS e
RETURN p.id AS product, coalesce(toStringOrNull(([] + p.name)[0]), p.id) AS name,
  // include: score
ORDER BY score DESC, product
LIMIT $k
