// Takes out reviews that the input has no longer.
// parameters: rows LIST<STRING>
// columns:    none
UNWIND $rows AS review_id
MATCH (r:Review {id: review_id})
CALL (r) {
  MATCH (u:User)-[:WROTE]->(r)
  SET u.changed = timestamp()
}
DETACH DELETE r
