// Return one page of users by gid, and whether each has properties of the slot.
// parameters: after INTEGER, size INTEGER
// columns:    gids LIST, ids LIST, is_filled LIST
MATCH (u:User) WHERE u.gid > $after
WITH u ORDER BY u.gid LIMIT $size
RETURN collect(u.gid) AS gids, collect(u.id) AS ids, collect(u.counted_a IS NOT NULL) AS is_filled
ORDER BY size(gids)
