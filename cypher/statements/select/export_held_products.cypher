// Return the row numbers of the products that some users hold.
// parameters: gids LIST<INTEGER>
// columns:    gids LIST<INTEGER>
MATCH (u:User)-[:HOLDS]->(p:Product) WHERE u.gid IN $gids
WITH DISTINCT p
RETURN collect(p.gid) AS gids
