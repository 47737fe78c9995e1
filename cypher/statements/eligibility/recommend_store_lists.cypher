// Replace the stored lists of some users. Lists without a version are not kinfolio's and remain.
// parameters: rows LIST, version STRING
// columns:    none
UNWIND $rows AS row
MATCH (u:User {id: row.user})
CALL (u) {
  MATCH (u)-[old:RECOMMENDED]->(:Product) WHERE old.version IS NOT NULL
  DELETE old
}
CALL (u, row) {
  UNWIND range(0, size(row.products) - 1) AS place
  MATCH (p:Product {id: row.products[place]})
  CREATE (u)-[:RECOMMENDED {score: row.scores[place], rank: place + 1, version: $version}]->(p)
}
