// The products nearest to a user's query vector by the slot's index, for servers whose search knows no conditions: all
// rules are put to what was found, as the graph is now. `seen` below n: there were no more.
// parameters: user_id STRING, query LIST, width INTEGER, n INTEGER, k INTEGER
// columns:    seen INTEGER, products LIST, names LIST, scores LIST
MATCH (u:User {id: $user_id})
WITH u, COLLECT { MATCH (u)-[:HOLDS|DISMISSED]->(x:Product) RETURN x } AS out
CALL db.index.vector.queryNodes('product_embedding_a', $n, $query) YIELD node AS p, score AS near
WHERE p:Product
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
