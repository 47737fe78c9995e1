// Return the row numbers of users by id, and of users by element id.
// parameters: ids LIST<STRING>, nodes LIST<STRING>
// columns:    ids LIST<STRING>, gids LIST<INTEGER>, nodes LIST<STRING>, node_gids LIST<INTEGER>
CALL () { MATCH (u:User) WHERE u.id IN $ids RETURN collect(u.id) AS ids, collect(u.gid) AS gids }
CALL () {
  UNWIND $nodes AS node
  MATCH (v:User) WHERE elementId(v) = node
  RETURN collect(node) AS nodes, collect(v.gid) AS node_gids
}
RETURN ids, gids, nodes, node_gids
