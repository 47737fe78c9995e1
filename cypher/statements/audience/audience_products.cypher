// Return row numbers and internal ids of the products of the version.
// parameters: none
// columns:    gids LIST, nodes LIST
MATCH (p:Product)
WHERE p.market_a IS NOT NULL AND p.gid IS NOT NULL
RETURN collect(p.gid) AS gids, collect(id(p)) AS nodes
ORDER BY size(gids)
