// Store the new lists of some users beside the old ones, which readers use until `recommend_finish_lists`; none if another
// writer of lists began since. The SET locks the version before its mark is read.
// parameters: rows LIST, version STRING, mark STRING
// columns:    users INTEGER
MATCH (v:EmbeddingVersion {name: $version, state: 'active'})
SET v.lists_beat = timestamp()
WITH v WHERE v.next_lists = $mark
UNWIND $rows AS row
MATCH (u:User {id: row.user})
CALL (u) {
  MATCH (u)-[old:RECOMMENDED {list: $mark}]->(:Product)
  DELETE old
}
CALL (u, row) {
  UNWIND range(0, size(row.products) - 1) AS place
  MATCH (p:Product {id: row.products[place]})
  CREATE (u)-[:RECOMMENDED {score: row.scores[place], rank: place + 1, version: $version, list: $mark}]->(p)
}
RETURN count(u) AS users
