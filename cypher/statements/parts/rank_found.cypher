// The k best of the products `found` by an index and of the m best by links: rules, then scores in 64 bits.
WITH u, out, [x IN out | x.gid] AS out_gids, found, size(found) AS seen
CALL (u, found) {
  UNWIND found AS one
  RETURN one.node.gid AS gid, one.node AS p, one.near AS near, 0.0 AS linked
  UNION ALL
  WITH u WHERE $m > 0
  // include: linking_products
  WITH n.similar_a AS gids, n.similar_weight_a AS weights
  UNWIND range(0, size(gids) - 1) AS place
  RETURN gids[place] AS gid, null AS p, null AS near, weights[place] AS linked
}
WITH u, out, out_gids, seen, gid, head(collect(p)) AS p, max(near) AS near, sum(linked) AS linked
WHERE near IS NOT NULL OR NOT gid IN out_gids
WITH u, out, seen, gid, p, near, linked ORDER BY near IS NULL, linked DESC LIMIT $n + $m
// Look up only products that the index did not find.
OPTIONAL MATCH (x:Product {gid: CASE WHEN p IS NULL THEN gid END})
WITH u, out, seen, coalesce(p, x) AS p, near, linked
WHERE p IS NOT NULL
WITH u, out, seen, p, linked, coalesce(near, vector.similarity.cosine(p.embedding_a, $query)) AS near
WHERE near IS NOT NULL
WITH seen, p, linked, (2 * near - 1) * $length + linked AS near,
     NOT p IN out AND
       // include: rules
     AS is_allowed
ORDER BY near DESC
WITH coalesce(max(seen), 0) AS seen,
     collect(CASE WHEN is_allowed THEN {node: p, linked: linked} END)[0..$k + 10] AS allowed
CALL (allowed) {
  UNWIND allowed AS one
  WITH one.node AS p, one.linked AS linked
  WITH p, linked, p.embedding_a AS e
  WITH p,
    // include: score
  ORDER BY score DESC, p.id LIMIT $k
  RETURN collect(p.id) AS products, collect(coalesce(toStringOrNull(([] + p.name)[0]), p.id)) AS names, collect(score) AS scores
}
RETURN seen, products, names, scores
ORDER BY seen
