// The category of each product in place of the one it had; without a name it has none.
// parameters: rows LIST<MAP>
// columns:    none
UNWIND $rows AS row
MATCH (p:Product {gid: row.product})
CALL (p, row) {
  OPTIONAL MATCH (p)-[old:IN_CATEGORY]->(c:Category)
  WHERE row.category IS NULL OR c.name <> row.category
  DELETE old
}
CALL (p, row) {
  WITH p, row WHERE row.category IS NOT NULL
  MERGE (c:Category {name: row.category})
  MERGE (p)-[:IN_CATEGORY]->(c)
}
