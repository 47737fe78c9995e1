// Delete ties of a pair and kind ('': none) that are not in the input.
// parameters: rows LIST<LIST>
// columns:    none
UNWIND $rows AS row
MATCH (u:User {gid: row[0]})
MATCH (v:User {gid: row[1]})
MATCH (u)-[t:TIED_TO]->(v) WHERE coalesce(t.kind, '') = row[2]
SET u.changed = timestamp(), v.changed = timestamp()
DELETE t
