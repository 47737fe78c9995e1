// Delete reviews that are not in the input.
// parameters: rows LIST<STRING>
// columns:    none
UNWIND $rows AS review_id
MATCH (r:Review {id: review_id})
CALL (r) {
  MATCH (u:User)-[:WROTE]->(r)
  SET u.changed = timestamp()
}
DETACH DELETE r
