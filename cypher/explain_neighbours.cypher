// The counted neighbours of a user whose messages make up the score: held products, tied people.
// parameters: user_id STRING
// columns:    kind STRING, gid INTEGER, id STRING, name STRING, message LIST
MATCH (u:User {id: $user_id})
CALL (u) {
  MATCH (u)-[r:HOLDS]->(n:Product)
  WHERE coalesce(r.split, 'train') = 'train' AND n.message_a IS NOT NULL
  RETURN 'holding' AS kind, n.gid AS gid, n.id AS id, coalesce(n.name, n.id) AS name,
         n.message_a AS message
  UNION ALL
  MATCH (u)-[r:TIED_TO]-(n:User)
  WHERE coalesce(r.split, 'train') = 'train' AND n <> u AND n.message_a IS NOT NULL
  WITH DISTINCT n
  RETURN 'tie' AS kind, n.gid AS gid, null AS id, null AS name, n.message_a AS message
}
RETURN kind, gid, id, name, message
ORDER BY kind, gid
