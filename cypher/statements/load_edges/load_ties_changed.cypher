// Update ties of a pair and kind ('': none) that differ from the input; a property without a value is removed.
// parameters: rows LIST<LIST>
// columns:    none
UNWIND $rows AS row
MATCH (u:User {gid: row[0]})
MATCH (v:User {gid: row[1]})
MATCH (u)-[t:TIED_TO]->(v) WHERE coalesce(t.kind, '') = row[2]
SET t += row[3], u.changed = timestamp(), v.changed = timestamp()
