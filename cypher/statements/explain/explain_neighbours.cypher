// Return the neighbours whose messages are summed to the vectors of some users: held products and tied users. `linked` is
// the weight of the link from the held product to the explained one.
// parameters: user_ids LIST, product_gid INTEGER, cut INTEGER
// columns:    user STRING, kind STRING, gid INTEGER, id STRING, name STRING, message LIST, linked FLOAT
UNWIND $user_ids AS user_id
MATCH (u:User {id: user_id})
CALL (u) {
  MATCH (u)-[h:HOLDS]->(p:Product)
  WHERE coalesce(h.split, 'train') = 'train' AND (p.message_a IS NOT NULL OR $product_gid IN [] + p.similar_a)
  WITH DISTINCT p
  RETURN 'holding' AS kind, p.gid AS gid, p.id AS id, coalesce(toStringOrNull(([] + p.name)[0]), p.id) AS name, p.message_a AS message,
         reduce(total = 0.0, place IN range(0, coalesce(size(p.similar_a), 0) - 1)
           | total + CASE p.similar_a[place] WHEN $product_gid THEN p.similar_weight_a[place] ELSE 0.0 END) AS linked
  UNION ALL
  MATCH (u)-[t:TIED_TO]-(v:User)
  WHERE coalesce(t.split, 'train') = 'train' AND v <> u AND v.message_a IS NOT NULL
    AND ($cut IS NULL OR t.at IS NULL OR t.at <= $cut OR u.counted_a IS NULL)
  WITH DISTINCT v
  RETURN 'tie' AS kind, v.gid AS gid, null AS id, null AS name, v.message_a AS message, 0.0 AS linked
}
RETURN u.id AS user, kind, gid, id, name, message, linked
ORDER BY user, kind, gid
