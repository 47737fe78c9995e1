// Return one page of users in the order of their ids, in columns.
// parameters: after STRING, at_once INTEGER
// columns:    ids LIST<STRING>, gids LIST<INTEGER>
MATCH (u:User) WHERE u.id > $after
WITH u ORDER BY u.id LIMIT $at_once
RETURN collect(u.id) AS ids, collect(coalesce(u.gid, -1)) AS gids
