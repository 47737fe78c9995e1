// Return the query vectors of some users as if they did not hold some products; see the part `fold_in`.
// parameters: rows LIST, only STRING, checked BOOLEAN
// columns:    row INTEGER, version STRING, source STRING, query LIST
UNWIND $rows AS row
WITH row.row AS number, row.user AS user_id, row.without AS without
MATCH (u:User {id: user_id})
WITH u, number, without, null AS place
WITH u, number, without, false AS is_stored,
     // include: active_version
WITH *,
     COLLECT {
       MATCH (u)-[h:HOLDS]->(p:Product)
       WHERE coalesce(h.split, 'train') = 'train' AND NOT p.id IN without
       RETURN DISTINCT p
     } AS held,
     // include: neighbours
// include: fold_in
RETURN number AS row, v.name AS version, source, query
ORDER BY row
