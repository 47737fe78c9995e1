// The counted neighbours of a user whose messages make up the score: held products, tied people.
// parameters: user_id STRING
// columns:    kind STRING, gid INTEGER, id STRING, name STRING, message LIST
MATCH (u:User {id: $user_id})
CALL (u) {
  MATCH (u)-[h:HOLDS]->(p:Product)
  WHERE coalesce(h.split, 'train') = 'train' AND p.message_a IS NOT NULL
  WITH DISTINCT p
  RETURN 'holding' AS kind, p.gid AS gid, p.id AS id, coalesce(p.name, p.id) AS name,
         p.message_a AS message
  UNION ALL
  MATCH (u)-[t:TIED_TO]-(v:User)
  WHERE coalesce(t.split, 'train') = 'train' AND v <> u AND v.message_a IS NOT NULL
  WITH DISTINCT v
  RETURN 'tie' AS kind, v.gid AS gid, null AS id, null AS name, v.message_a AS message
}
RETURN kind, gid, id, name, message
ORDER BY kind, gid
