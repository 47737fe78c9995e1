// Return the row numbers of the users who hold one of some products.
// parameters: gids LIST<INTEGER>
// columns:    gids LIST<INTEGER>
MATCH (u:User)-[:HOLDS]->(p:Product) WHERE p.gid IN $gids
WITH DISTINCT u
RETURN collect(u.gid) AS gids
