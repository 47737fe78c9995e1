// Delete categories that are not in the input.
// parameters: rows LIST<STRING>
// columns:    none
UNWIND $rows AS name
MATCH (c:Category {name: name})
CALL (c) {
  MATCH (p:Product)-[:IN_CATEGORY]->(c)
  SET p.changed = timestamp()
}
DETACH DELETE c
