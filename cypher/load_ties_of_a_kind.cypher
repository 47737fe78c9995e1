// Ties that have a kind, one for each pair and kind.
// parameters: rows LIST<MAP>
// columns:    none
UNWIND $rows AS row
MATCH (u:User {gid: row.source})
MATCH (v:User {gid: row.target})
MERGE (u)-[t:TIED_TO {kind: row.properties.kind}]->(v)
SET t += row.properties
