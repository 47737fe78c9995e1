// Return the users of a range of row numbers, in columns; `node` is the internal id.
// parameters: first INTEGER, end INTEGER
// columns:    gid LIST<INTEGER>, node LIST<INTEGER>, id LIST<STRING>
MATCH (u:User) WHERE $first <= u.gid < $end
WITH u ORDER BY u.gid
RETURN collect(u.gid) AS gid, collect(id(u)) AS node, collect(toString(u.id)) AS id
