// Return one page of products in the order of their ids, in columns.
// parameters: after STRING, at_once INTEGER
// columns:    ids LIST<STRING>, gids LIST<INTEGER>
MATCH (p:Product) WHERE p.id > $after
WITH p ORDER BY p.id LIMIT $at_once
RETURN collect(p.id) AS ids, collect(coalesce(p.gid, -1)) AS gids
