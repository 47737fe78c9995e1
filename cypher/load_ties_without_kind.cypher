// Ties without a kind, one for each pair.
// parameters: rows LIST<MAP>
// columns:    none
UNWIND $rows AS row
MATCH (u:User {gid: row.source})
MATCH (v:User {gid: row.target})
OPTIONAL MATCH (u)-[old:TIED_TO]->(v) WHERE old.kind IS NULL
CALL (u, v, old) {
  WITH u, v, old WHERE old IS NULL
  CREATE (u)-[t:TIED_TO]->(v)
  RETURN t
  UNION
  WITH u, v, old WHERE old IS NOT NULL
  RETURN old AS t
}
SET t += row.properties
