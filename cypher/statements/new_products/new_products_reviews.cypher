// Return the reviews that may describe some products: the latest texts, and all writers. As in an export, a review counts by
// its own split, else by its time against the cut of the training, else unless the pair is a held-out holding.
// parameters: gids LIST, cut INTEGER, most INTEGER, no_time INTEGER
// columns:    gid INTEGER, users LIST, texts LIST
UNWIND $gids AS gid
MATCH (p:Product {gid: gid})
CALL (p) {
  MATCH (u:User)-[:WROTE]->(r:Review)-[:ABOUT]->(p:Product)
  WHERE CASE
    WHEN r.split IS NOT NULL THEN r.split = 'train' AND ($cut IS NULL OR r.at IS NULL OR r.at <= $cut)
    WHEN $cut IS NOT NULL AND r.at IS NOT NULL THEN r.at <= $cut
    ELSE NOT EXISTS { (u)-[h:HOLDS]->(p) WHERE h.split IN ['valid', 'test'] }
  END
  WITH u, r ORDER BY coalesce(r.at, $no_time) DESC, u.gid DESC, r.id DESC
  RETURN collect(DISTINCT toString(u.id)) AS users, collect(coalesce(toStringOrNull(r.text), ''))[0..$most] AS texts
}
WITH gid, users, texts WHERE size(users) > 0
RETURN gid, users, texts
ORDER BY gid
