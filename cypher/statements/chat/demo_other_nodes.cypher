// Return the number of users and products in the graph that are not part of the generated community.
// parameters: user_ids LIST<STRING>, product_ids LIST<STRING>
// columns:    nodes INTEGER
CALL (*) {
  MATCH (u:User) WHERE NOT u.id IN $user_ids RETURN u AS n
  UNION ALL
  MATCH (p:Product) WHERE NOT p.id IN $product_ids RETURN p AS n
}
RETURN count(n) AS nodes
