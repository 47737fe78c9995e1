// The products nearest to a user's query vector by the slot's index, those that the rules closed, country and risk
// forbid left out while searching, then all rules on what was found, as the graph is now, and scores in 64 bits.
// A search knows no OR, so open or unknown and safe or unknown are four searches, of which those that find nothing cost
// half of one that does. So `asks` says what is asked while searching: 'market' alone, 'risk' as well, or 'all'.
// `seen` below n: there were no more.
// parameters: user_id STRING, query LIST, width INTEGER, markets LIST, risk INTEGER, asks STRING, n INTEGER, k INTEGER
// columns:    seen INTEGER, products LIST, names LIST, scores LIST
CYPHER 25
MATCH (u:User {id: $user_id})
WITH u, vector($query, $width, FLOAT32) AS q,
     COLLECT { MATCH (u)-[:HOLDS|DISMISSED]->(x:Product) RETURN x } AS out
CALL (q) {
  WITH q WHERE $asks = 'market'
  MATCH (p:Product)
  SEARCH p IN (VECTOR INDEX product_embedding_a FOR q
    WHERE p.market_a IN $markets LIMIT $n) SCORE AS near
  RETURN p, near
  UNION ALL
  WITH q WHERE $asks = 'risk'
  MATCH (p:Product)
  SEARCH p IN (VECTOR INDEX product_embedding_a FOR q
    WHERE p.market_a IN $markets AND p.risk <= $risk LIMIT $n) SCORE AS near
  RETURN p, near
  UNION ALL
  WITH q WHERE $asks = 'risk'
  MATCH (p:Product)
  SEARCH p IN (VECTOR INDEX product_embedding_a FOR q
    WHERE p.market_a IN $markets AND p.risk IS NULL LIMIT $n) SCORE AS near
  RETURN p, near
  UNION ALL
  WITH q WHERE $asks = 'all'
  MATCH (p:Product)
  SEARCH p IN (VECTOR INDEX product_embedding_a FOR q
    WHERE p.market_a IN $markets AND p.open = true AND p.risk <= $risk LIMIT $n) SCORE AS near
  RETURN p, near
  UNION ALL
  WITH q WHERE $asks = 'all'
  MATCH (p:Product)
  SEARCH p IN (VECTOR INDEX product_embedding_a FOR q
    WHERE p.market_a IN $markets AND p.open IS NULL AND p.risk <= $risk LIMIT $n) SCORE AS near
  RETURN p, near
  UNION ALL
  WITH q WHERE $asks = 'all'
  MATCH (p:Product)
  SEARCH p IN (VECTOR INDEX product_embedding_a FOR q
    WHERE p.market_a IN $markets AND p.open = true AND p.risk IS NULL LIMIT $n) SCORE AS near
  RETURN p, near
  UNION ALL
  WITH q WHERE $asks = 'all'
  MATCH (p:Product)
  SEARCH p IN (VECTOR INDEX product_embedding_a FOR q
    WHERE p.market_a IN $markets AND p.open IS NULL AND p.risk IS NULL LIMIT $n) SCORE AS near
  RETURN p, near
}
WITH u, out, p, near ORDER BY near DESC LIMIT $n
WITH p, near, coalesce(p.open, true) = true
       AND (p.countries IS NULL OR size(p.countries) = 0 OR u.country IN p.countries)
       AND (p.risk IS NULL OR p.risk <= u.risk_tolerance)
       AND NOT p IN out
       // own rules
     AS is_allowed
ORDER BY near DESC
WITH count(p) AS seen, collect(CASE WHEN is_allowed THEN p END)[0..$k + 10] AS allowed
CALL (allowed) {
  UNWIND allowed AS p
  WITH p, p.embedding_a AS e
  WITH p, reduce(total = 0.0, d IN range(0, $width - 1) | total + e[d] * $query[d]) AS score
  ORDER BY score DESC, p.id LIMIT $k
  RETURN collect(p.id) AS products, collect(coalesce(p.name, p.id)) AS names, collect(score) AS scores
}
RETURN seen, products, names, scores
ORDER BY seen
