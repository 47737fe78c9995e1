// Ties that begin at a range of users, in columns; ends are row numbers, '' is no split.
// parameters: first INTEGER, end INTEGER, no_time INTEGER
// columns:    source LIST<INTEGER>, target LIST<INTEGER>, split LIST<STRING>, at LIST<INTEGER>
MATCH (u:User)-[t:TIED_TO]->(v:User) WHERE $first <= u.gid < $end
RETURN collect(u.gid) AS source,
       collect(v.gid) AS target,
       collect(coalesce(t.split, '')) AS split,
       collect(coalesce(t.at, $no_time)) AS at
