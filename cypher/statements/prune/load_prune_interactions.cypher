// Return the holdings of some users, in columns of row numbers.
// parameters: users LIST<INTEGER>
// columns:    source LIST<INTEGER>, target LIST<INTEGER>
UNWIND $users AS gid
MATCH (u:User {gid: gid})-[h:HOLDS]->(p:Product)
RETURN collect(u.gid) AS source, collect(p.gid) AS target
