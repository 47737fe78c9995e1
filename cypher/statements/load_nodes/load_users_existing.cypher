// Return the existing users among some ids, in columns, with some properties.
// parameters: ids LIST<STRING>, names LIST<STRING>
// columns:    ids LIST<STRING>, gids LIST<INTEGER>, values LIST<LIST>
UNWIND $ids AS user_id
MATCH (u:User {id: user_id})
RETURN collect(u.id) AS ids, collect(u.gid) AS gids, collect([name IN $names | u[name]]) AS values
