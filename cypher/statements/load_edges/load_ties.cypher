// Create ties: for each user a list of the other user, kind, at, split, other properties.
// parameters: groups LIST<LIST>
// columns:    none
UNWIND $groups AS tied
MATCH (u:User {gid: tied[0]})
SET u.changed = timestamp()
WITH u, tied
UNWIND tied[1] AS row
MATCH (v:User {gid: row[0]})
SET v.changed = timestamp()
CREATE (u)-[t:TIED_TO {kind: row[1], at: row[2], split: row[3]}]->(v)
SET t += row[4]
