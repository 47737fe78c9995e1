// Return the products with damage in the slot: a vector that is not `width` finite numbers, one that is not as long as
// those of the version, and links that are not as many finite weights as products.
// parameters: width INTEGER, length FLOAT
// columns:    vectors LIST, changed LIST, links LIST
MATCH (p:Product) WHERE p.embedding_a IS NOT NULL OR p.similar_a IS NOT NULL
WITH p, CASE WHEN valueType(p.embedding_a) = 'LIST<FLOAT NOT NULL> NOT NULL' AND size(p.embedding_a) = $width
  THEN reduce(total = 0.0, x IN p.embedding_a | total + x * x) END AS square,
  CASE WHEN valueType(p.similar_a) = 'LIST<INTEGER NOT NULL> NOT NULL' AND valueType(p.similar_weight_a) = 'LIST<FLOAT NOT NULL> NOT NULL'
  THEN size(p.similar_a) = size(p.similar_weight_a)
    AND reduce(total = 0.0, x IN p.similar_weight_a | total + 0.0 * x) = 0.0
  ELSE p.similar_a IS NULL END AS has_links
WITH p.id AS product, p.embedding_a IS NULL OR coalesce(square > 0.0 AND square < 1e38, false) AS has_vector,
     coalesce(abs(sqrt(square) - $length) <= 0.001 * $length, true) AS is_long, has_links
WHERE NOT (has_vector AND has_links AND is_long)
WITH * ORDER BY product
RETURN collect(CASE WHEN NOT has_vector THEN product END) AS vectors,
       collect(CASE WHEN has_vector AND NOT is_long THEN product END) AS changed,
       collect(CASE WHEN NOT has_links THEN product END) AS links
ORDER BY size(vectors)
