// Return the holdings of some users, in columns; ends are row numbers, '' is no split.
// parameters: gids LIST<INTEGER>, no_time INTEGER
// columns:    source LIST<INTEGER>, target LIST<INTEGER>, split LIST<STRING>, at LIST<INTEGER>, rating LIST<FLOAT>
MATCH (u:User)-[h:HOLDS]->(p:Product) WHERE u.gid IN $gids
RETURN collect(u.gid) AS source,
       collect(p.gid) AS target,
       collect(coalesce(h.split, '')) AS split,
       collect(coalesce(h.at, $no_time)) AS at,
       collect(coalesce(toFloatOrNull(h.rating), 0.0 / 0.0)) AS rating
