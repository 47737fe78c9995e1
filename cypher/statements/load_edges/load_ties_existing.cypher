// Return the ties that begin at some users, in columns. The SET only locks the users: of two
// concurrent loads, the second one reads the ties of the first one.
// parameters: users LIST<INTEGER>, names LIST<STRING>
// columns:    source LIST<INTEGER>, target LIST<INTEGER>, kind LIST<STRING>, values LIST<LIST>
UNWIND $users AS gid
MATCH (u:User {gid: gid})
SET u.gid = gid
WITH u
MATCH (u)-[t:TIED_TO]->(v:User)
RETURN collect(u.gid) AS source, collect(v.gid) AS target, collect(coalesce(t.kind, '')) AS kind,
       collect([name IN $names | t[name]]) AS values
