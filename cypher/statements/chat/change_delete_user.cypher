// Delete a user with all relationships and the reviews the user wrote; tied users count as changed.
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
