// Return the row numbers of users tied to some users, in either direction.
// parameters: gids LIST<INTEGER>
// columns:    gids LIST<INTEGER>
CALL () {
  MATCH (u:User)-[:TIED_TO]->(v:User) WHERE u.gid IN $gids RETURN v.gid AS gid
  UNION
  MATCH (v:User)-[:TIED_TO]->(u:User) WHERE u.gid IN $gids RETURN v.gid AS gid
}
RETURN collect(gid) AS gids
