// Return the reviews by some users, in columns; ends are row numbers, '' is no split or text.
// parameters: gids LIST<INTEGER>, no_time INTEGER
// columns:    source LIST<INTEGER>, target LIST<INTEGER>, split LIST<STRING>, at LIST<INTEGER>, text LIST<STRING>, id LIST<STRING>
MATCH (u:User)-[:WROTE]->(r:Review)-[:ABOUT]->(p:Product) WHERE u.gid IN $gids
RETURN collect(u.gid) AS source,
       collect(p.gid) AS target,
       collect(coalesce(r.split, '')) AS split,
       collect(coalesce(r.at, $no_time)) AS at,
       collect(coalesce(toStringOrNull(r.text), '')) AS text,
       collect(coalesce(toStringOrNull(r.id), '')) AS id
