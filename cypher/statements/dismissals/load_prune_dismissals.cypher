// Return the dismissals of earlier loads by some users, in columns of row numbers.
// parameters: users LIST<INTEGER>
// columns:    source LIST<INTEGER>, target LIST<INTEGER>
UNWIND $users AS gid
MATCH (u:User {gid: gid})-[d:DISMISSED {loaded: true}]->(p:Product)
RETURN collect(u.gid) AS source, collect(p.gid) AS target
