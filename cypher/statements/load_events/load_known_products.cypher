// Return the existing products among some ids.
// parameters: ids LIST<STRING>
// columns:    id STRING, gid INTEGER
UNWIND $ids AS product_id
MATCH (p:Product {id: product_id})
RETURN p.id AS id, p.gid AS gid
ORDER BY gid
