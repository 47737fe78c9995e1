// Return the ties that begin at some users, in columns of row numbers; '' means no kind.
// parameters: users LIST<INTEGER>
// columns:    source LIST<INTEGER>, target LIST<INTEGER>, kind LIST<STRING>
UNWIND $users AS gid
MATCH (u:User {gid: gid})-[t:TIED_TO]->(v:User)
RETURN collect(u.gid) AS source, collect(v.gid) AS target, collect(coalesce(t.kind, '')) AS kind
