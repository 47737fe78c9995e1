// Return users by row number, as in `export_users`.
// parameters: gids LIST<INTEGER>
// columns:    gid LIST<INTEGER>, node LIST<INTEGER>, id LIST<STRING>
MATCH (u:User) WHERE u.gid IN $gids
WITH u ORDER BY u.gid
RETURN collect(u.gid) AS gid, collect(id(u)) AS node, collect(toString(u.id)) AS id
