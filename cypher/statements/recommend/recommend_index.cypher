// Return the k products with the highest score for a user, found by the slot's vector index.
// The rules closed, country and risk filter inside the search; then all rules are applied to the found products.
// A search supports no OR, so "open or null" and "risk low enough or null" are four searches; one without results takes
// half the time. `inside` names the rules inside the search: 'market' only, 'risk' as well, or 'all'.
// The m products with the strongest links from held products are added. `seen` < n: the index has no more products.
// parameters: user_id STRING, query LIST, width INTEGER, length FLOAT, markets LIST, risk INTEGER, inside STRING, n INTEGER, m INTEGER, k INTEGER, harmless LIST
// columns:    seen INTEGER, products LIST, names LIST, scores LIST
CYPHER 25
MATCH (u:User {id: $user_id})
WITH u, vector($query, $width, FLOAT32) AS q,
     COLLECT { MATCH (u)-[:HOLDS|DISMISSED]->(x:Product) RETURN x } AS out
CALL (q) {
  CALL (q) {
    WITH q WHERE $inside = 'market'
    MATCH (p:Product)
    SEARCH p IN (VECTOR INDEX product_embedding_a FOR q
      WHERE p.market_a IN $markets LIMIT $n) SCORE AS near
    RETURN p, near
    UNION ALL
    WITH q WHERE $inside = 'risk'
    MATCH (p:Product)
    SEARCH p IN (VECTOR INDEX product_embedding_a FOR q
      WHERE p.market_a IN $markets AND p.risk <= $risk LIMIT $n) SCORE AS near
    RETURN p, near
    UNION ALL
    WITH q WHERE $inside = 'risk'
    MATCH (p:Product)
    SEARCH p IN (VECTOR INDEX product_embedding_a FOR q
      WHERE p.market_a IN $markets AND p.risk IS NULL LIMIT $n) SCORE AS near
    RETURN p, near
    UNION ALL
    WITH q WHERE $inside = 'all'
    MATCH (p:Product)
    SEARCH p IN (VECTOR INDEX product_embedding_a FOR q
      WHERE p.market_a IN $markets AND p.open = true AND p.risk <= $risk LIMIT $n) SCORE AS near
    RETURN p, near
    UNION ALL
    WITH q WHERE $inside = 'all'
    MATCH (p:Product)
    SEARCH p IN (VECTOR INDEX product_embedding_a FOR q
      WHERE p.market_a IN $markets AND p.open IS NULL AND p.risk <= $risk LIMIT $n) SCORE AS near
    RETURN p, near
    UNION ALL
    WITH q WHERE $inside = 'all'
    MATCH (p:Product)
    SEARCH p IN (VECTOR INDEX product_embedding_a FOR q
      WHERE p.market_a IN $markets AND p.open = true AND p.risk IS NULL LIMIT $n) SCORE AS near
    RETURN p, near
    UNION ALL
    WITH q WHERE $inside = 'all'
    MATCH (p:Product)
    SEARCH p IN (VECTOR INDEX product_embedding_a FOR q
      WHERE p.market_a IN $markets AND p.open IS NULL AND p.risk IS NULL LIMIT $n) SCORE AS near
    RETURN p, near
  }
  WITH p, near ORDER BY near DESC LIMIT $n
  RETURN collect({node: p, near: near}) AS found
}
// include: rank_found
