// Replace the category of each product; null removes it.
// parameters: rows LIST<LIST>
// columns:    none
UNWIND $rows AS row
MATCH (p:Product {gid: row[0]})
SET p.changed = timestamp()
WITH p, row[1] AS category
CALL (p, category) {
  OPTIONAL MATCH (p)-[old:IN_CATEGORY]->(c:Category)
  WHERE category IS NULL OR c.name <> category
  DELETE old
}
CALL (p, category) {
  WITH p, category WHERE category IS NOT NULL
  MERGE (c:Category {name: category})
  MERGE (p)-[:IN_CATEGORY]->(c)
}
