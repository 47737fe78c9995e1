// Users of a range of row numbers, in columns.
// parameters: first INTEGER, end INTEGER
// columns:    gid LIST<INTEGER>, id LIST<STRING>
MATCH (u:User) WHERE $first <= u.gid < $end
WITH u ORDER BY u.gid
RETURN collect(u.gid) AS gid, collect(toString(u.id)) AS id
