// Return the ties that begin at some users, in columns; ends are row numbers, '' is no split.
// parameters: gids LIST<INTEGER>, no_time INTEGER
// columns:    source LIST<INTEGER>, target LIST<INTEGER>, split LIST<STRING>, at LIST<INTEGER>
MATCH (u:User)-[t:TIED_TO]->(v:User) WHERE u.gid IN $gids
RETURN collect(u.gid) AS source,
       collect(v.gid) AS target,
       collect(coalesce(t.split, '')) AS split,
       collect(coalesce(t.at, $no_time)) AS at
