// Return the existing products among some ids, in columns, with some properties and categories.
// parameters: ids LIST<STRING>, names LIST<STRING>
// columns:    ids LIST<STRING>, gids LIST<INTEGER>, values LIST<LIST>, categories LIST<LIST>
UNWIND $ids AS product_id
MATCH (p:Product {id: product_id})
RETURN collect(p.id) AS ids, collect(p.gid) AS gids,
       collect([name IN $names | p[name]]) AS values,
       collect(COLLECT { MATCH (p)-[:IN_CATEGORY]->(c:Category) RETURN c.name }) AS categories
