// Return for each held product the number of other holders, how many of them also hold the explained product, and a
// shared category.
// parameters: user_id STRING, product_id STRING, gids LIST
// columns:    gid INTEGER, holders INTEGER, both INTEGER, category STRING
MATCH (b:Product {id: $product_id})
WITH b, COLLECT {
  MATCH (b)<-[r:HOLDS]-(v:User)
  WHERE coalesce(r.split, 'train') = 'train' AND v.id <> $user_id
  RETURN v
} AS owners
UNWIND $gids AS gid
MATCH (a:Product {gid: gid})
CALL (a, owners) {
  OPTIONAL MATCH (a)<-[r:HOLDS]-(v:User)
  WHERE coalesce(r.split, 'train') = 'train' AND v.id <> $user_id
  RETURN count(DISTINCT v) AS holders, count(DISTINCT CASE WHEN v IN owners THEN v END) AS both
}
RETURN gid, holders, both, head(COLLECT {
  MATCH (a)-[:IN_CATEGORY]->(c:Category)<-[:IN_CATEGORY]-(b)
  RETURN c.name AS name ORDER BY name LIMIT 1
}) AS category
ORDER BY gid
