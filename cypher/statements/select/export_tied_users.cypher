// Return the row numbers of users whom ties in either direction connect with some users.
// parameters: gids LIST<INTEGER>
// columns:    gids LIST<INTEGER>
CALL () {
  MATCH (u:User)-[:TIED_TO]->(v:User) WHERE u.gid IN $gids RETURN v.gid AS gid
  UNION
  MATCH (v:User)-[:TIED_TO]->(u:User) WHERE u.gid IN $gids RETURN v.gid AS gid
}
RETURN collect(gid) AS gids
