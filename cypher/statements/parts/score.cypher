// The score of product `p` in 64 bits: dot product with $query plus links; NaN if its vector `e` is damaged.
CASE
  WHEN e IS NULL THEN null
  WHEN valueType(e) = 'LIST<FLOAT NOT NULL> NOT NULL' AND size(e) = $width AND any(x IN e WHERE x <> 0)
    THEN linked + reduce(total = 0.0, d IN range(0, $width - 1) | total + e[d] * $query[d])
  ELSE 0.0 / 0.0
END AS score
