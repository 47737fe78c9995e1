// Replace the writer and product of reviews.
// parameters: rows LIST<LIST>
// columns:    none
UNWIND $rows AS row
MATCH (r:Review {id: row[0]})
MATCH (u:User {gid: row[1]})
MATCH (p:Product {gid: row[2]})
CALL (r) {
  OPTIONAL MATCH (before:User)-[wrote:WROTE]->(r)
  SET before.changed = timestamp()
  DELETE wrote
}
CALL (r) {
  OPTIONAL MATCH (r)-[about:ABOUT]->(old:Product)
  DELETE about
}
SET u.changed = timestamp()
CREATE (u)-[:WROTE]->(r)
CREATE (r)-[:ABOUT]->(p)
