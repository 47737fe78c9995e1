// Return the holdings of some users, in columns. The SET changes nothing but locks the users, so that of two concurrent
// loads the second one reads what the first one created.
// parameters: users LIST<INTEGER>, names LIST<STRING>
// columns:    source LIST<INTEGER>, target LIST<INTEGER>, values LIST<LIST>
UNWIND $users AS gid
MATCH (u:User {gid: gid})
SET u.gid = gid
WITH u
MATCH (u)-[h:HOLDS]->(p:Product)
RETURN collect(u.gid) AS source, collect(p.gid) AS target,
       collect([name IN $names | h[name]]) AS values
