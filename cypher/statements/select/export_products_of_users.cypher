// Return the row numbers of the products that some users hold or have reviewed.
// parameters: gids LIST<INTEGER>
// columns:    gids LIST<INTEGER>
CALL () {
  MATCH (u:User)-[:HOLDS]->(p:Product) WHERE u.gid IN $gids RETURN p.gid AS gid
  UNION
  MATCH (u:User)-[:WROTE]->(r:Review)-[:ABOUT]->(p:Product) WHERE u.gid IN $gids RETURN p.gid AS gid
}
RETURN collect(gid) AS gids
