// What the input says otherwise of ties of one pair and kind ('': none); without a value it is removed.
// parameters: rows LIST<LIST>
// columns:    none
UNWIND $rows AS row
MATCH (u:User {gid: row[0]})
MATCH (v:User {gid: row[1]})
MATCH (u)-[t:TIED_TO]->(v) WHERE coalesce(t.kind, '') = row[2]
SET t += row[3], u.changed = timestamp(), v.changed = timestamp()
