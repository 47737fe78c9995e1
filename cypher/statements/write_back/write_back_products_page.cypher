// Return one page of products by gid, and whether each has properties of the slot.
// parameters: after INTEGER, size INTEGER
// columns:    gids LIST, ids LIST, is_filled LIST, countries LIST
MATCH (p:Product) WHERE p.gid > $after
WITH p ORDER BY p.gid LIMIT $size
RETURN collect(p.gid) AS gids, collect(p.id) AS ids, collect(p.embedding_a IS NOT NULL) AS is_filled,
       collect(coalesce(p.countries, [])) AS countries
ORDER BY size(gids)
