// Return the holdings of some users, in columns. The SET only locks the users: of two concurrent
// loads, the second one reads the holdings of the first one.
// parameters: users LIST<INTEGER>, names LIST<STRING>
// columns:    source LIST<INTEGER>, target LIST<INTEGER>, values LIST<LIST>
UNWIND $users AS gid
MATCH (u:User {gid: gid})
SET u.gid = gid
WITH u
MATCH (u)-[h:HOLDS]->(p:Product)
RETURN collect(u.gid) AS source, collect(p.gid) AS target,
       collect([name IN $names | h[name]]) AS values
