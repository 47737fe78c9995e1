// Takes out a user with all that hangs on it, and the reviews it wrote; who was tied to it counts as changed.
// parameters: user_id STRING
// columns:    none
MATCH (u:User {id: $user_id})
CALL (u) {
  MATCH (u)-[:TIED_TO]-(f:User)
  SET f.changed = timestamp()
}
CALL (u) {
  MATCH (u)-[:WROTE]->(r:Review)
  DETACH DELETE r
}
DETACH DELETE u
