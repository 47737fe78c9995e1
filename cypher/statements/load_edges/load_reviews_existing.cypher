// Return the existing reviews among some ids, in columns, with their ends and some properties.
// parameters: ids LIST<STRING>, names LIST<STRING>
// columns:    ids LIST<STRING>, sources LIST<LIST>, targets LIST<LIST>, values LIST<LIST>
UNWIND $ids AS review_id
MATCH (r:Review {id: review_id})
RETURN collect(r.id) AS ids,
       collect(COLLECT { MATCH (u:User)-[:WROTE]->(r) RETURN u.gid }) AS sources,
       collect(COLLECT { MATCH (r)-[:ABOUT]->(p:Product) RETURN p.gid }) AS targets,
       collect([name IN $names | r[name]]) AS values
