// Assign the next row numbers (gid) to products without one, in the order of their ids.
// parameters: first INTEGER
// columns:    numbered INTEGER
MATCH (p:Product) WHERE p.gid IS NULL
WITH p ORDER BY p.id
WITH collect(p) AS added
UNWIND range(0, size(added) - 1) AS position
WITH added[position] AS p, $first + position AS gid
SET p.gid = gid
RETURN count(*) AS numbered
