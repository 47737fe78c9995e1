// Return for each tied user the kind and direction of the tie and whether the user holds the explained product; id and
// name only if users may be named.
// parameters: user_id STRING, product_id STRING, gids LIST, named BOOLEAN
// columns:    gid INTEGER, kind STRING, is_out BOOLEAN, holds BOOLEAN, rating FLOAT, id STRING, name STRING
MATCH (u:User {id: $user_id}), (b:Product {id: $product_id})
UNWIND $gids AS gid
MATCH (v:User {gid: gid})
CALL (u, v) {
  MATCH (u)-[t:TIED_TO]-(v)
  WHERE coalesce(t.split, 'train') = 'train'
  RETURN t.kind AS kind, startNode(t) = u AS is_out
  ORDER BY is_out DESC, kind LIMIT 1
}
OPTIONAL MATCH (v)-[r:HOLDS]->(b) WHERE coalesce(r.split, 'train') = 'train'
RETURN gid, kind, is_out, r IS NOT NULL AS holds, r.rating AS rating,
       CASE WHEN $named THEN v.id END AS id, CASE WHEN $named THEN coalesce(toStringOrNull(([] + v.name)[0]), v.id) END AS name
ORDER BY gid
