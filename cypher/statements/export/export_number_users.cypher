// Assign the next row numbers (gid) to users without one, in the order of their ids.
// parameters: first INTEGER
// columns:    numbered INTEGER
MATCH (u:User) WHERE u.gid IS NULL
WITH u ORDER BY u.id
WITH collect(u) AS added
UNWIND range(0, size(added) - 1) AS position
WITH added[position] AS u, $first + position AS gid
SET u.gid = gid
RETURN count(*) AS numbered
