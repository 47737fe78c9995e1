// The products nearest to a user's query vector by the slot's index, for servers whose search knows no conditions: all
// rules are put to what was found, as the graph is now. Besides, the m products to which what the user holds is linked
// most. `seen` below n: the index had no more.
// parameters: user_id STRING, query LIST, width INTEGER, length FLOAT, n INTEGER, m INTEGER, k INTEGER
// columns:    seen INTEGER, products LIST, names LIST, scores LIST
MATCH (u:User {id: $user_id})
WITH u, COLLECT { MATCH (u)-[:HOLDS|DISMISSED]->(x:Product) RETURN x } AS out
CALL () {
  CALL db.index.vector.queryNodes('product_embedding_a', $n, $query) YIELD node AS p, score AS near
  WHERE p:Product
  RETURN collect({node: p, near: near}) AS found
}
WITH u, out, [x IN out | x.gid] AS out_gids, found, size(found) AS seen
CALL (u, found) {
  UNWIND found AS one
  RETURN one.node.gid AS gid, one.node AS p, one.near AS near, 0.0 AS linked
  UNION ALL
  WITH u WHERE $m > 0
  MATCH (u)-[h:HOLDS]->(n:Product)
  WHERE coalesce(h.split, 'train') = 'train' AND n.similar_a IS NOT NULL
  WITH DISTINCT n
  WITH n.similar_a AS gids, n.similar_weight_a AS weights
  UNWIND range(0, size(gids) - 1) AS place
  RETURN gids[place] AS gid, null AS p, null AS near, weights[place] AS linked
}
WITH u, out, out_gids, seen, gid, head(collect(p)) AS p, max(near) AS near, sum(linked) AS linked
WHERE near IS NOT NULL OR NOT gid IN out_gids
WITH u, out, seen, gid, p, near, linked ORDER BY near IS NULL, linked DESC LIMIT $n + $m
// Only what the search has not found is looked up.
OPTIONAL MATCH (x:Product {gid: CASE WHEN p IS NULL THEN gid END})
WITH u, out, seen, coalesce(p, x) AS p, near, linked
WHERE p IS NOT NULL
WITH u, out, seen, p, linked, coalesce(near, vector.similarity.cosine(p.embedding_a, $query)) AS near
WHERE near IS NOT NULL
WITH seen, p, linked, (2 * near - 1) * $length + linked AS near, coalesce(p.open, true) = true
       AND (p.countries IS NULL OR size(p.countries) = 0 OR u.country IN p.countries)
       AND (p.risk IS NULL OR p.risk <= u.risk_tolerance)
       AND NOT p IN out
       // own rules
     AS is_allowed
ORDER BY near DESC
WITH coalesce(max(seen), 0) AS seen,
     collect(CASE WHEN is_allowed THEN {node: p, linked: linked} END)[0..$k + 10] AS allowed
CALL (allowed) {
  UNWIND allowed AS one
  WITH one.node AS p, one.linked AS linked
  WITH p, linked, p.embedding_a AS e
  WITH p, linked + reduce(total = 0.0, d IN range(0, $width - 1) | total + e[d] * $query[d]) AS score
  ORDER BY score DESC, p.id LIMIT $k
  RETURN collect(p.id) AS products, collect(coalesce(p.name, p.id)) AS names, collect(score) AS scores
}
RETURN seen, products, names, scores
ORDER BY seen
