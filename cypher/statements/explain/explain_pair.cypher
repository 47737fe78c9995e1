// Return a user and a product with their vectors and the verdicts of the rules; nulls where one does not exist.
// parameters: user_id STRING, product_id STRING, version STRING, harmless LIST, facts LIST
// columns:    user STRING, product STRING, product_gid INTEGER, name STRING, kind STRING, is_held BOOLEAN, is_dismissed BOOLEAN, country STRING, risk INTEGER, most_risk INTEGER, risk_tolerance INTEGER, own LIST, general LIST, tie_weight FLOAT, embedding LIST, known_by LIST, holders INTEGER, people INTEGER, mean_rating FLOAT, categories LIST, facts LIST, is_open BOOLEAN, is_sold BOOLEAN, is_safe BOOLEAN, is_rated BOOLEAN
OPTIONAL MATCH (u:User {id: $user_id})
OPTIONAL MATCH (p:Product {id: $product_id})
OPTIONAL MATCH (w:EmbeddingVersion {name: $version})
CALL (u, p) {
  OPTIONAL MATCH (p)<-[r:HOLDS]-(v:User)
  WHERE coalesce(r.split, 'train') = 'train' AND v <> u
  RETURN count(DISTINCT v) AS holders, avg(r.rating) AS mean_rating
}
CALL () {
  // The scale of risk levels, by a sample of the products.
  MATCH (q:Product) WHERE q.risk IS NOT NULL
  WITH q.risk AS risk LIMIT 10000
  RETURN max(risk) AS most_risk
}
RETURN u.id AS user, p.id AS product, p.gid AS product_gid, coalesce(toStringOrNull(([] + p.name)[0]), p.id) AS name, p.kind AS kind,
       EXISTS { (u)-[:HOLDS]->(p) } AS is_held,
       EXISTS { (u)-[:DISMISSED]->(p) } AS is_dismissed,
       u.country AS country, p.risk AS risk, most_risk, u.risk_tolerance AS risk_tolerance,
       u.own_a AS own, w.general AS general, w.tie_weight AS tie_weight,
       p.embedding_a AS embedding, p.new_a AS known_by, holders, COUNT { (:User) } AS people, mean_rating,
       COLLECT { MATCH (p)-[:IN_CATEGORY]->(c:Category) RETURN c.name AS name ORDER BY name LIMIT 3 } AS categories,
       [key IN $facts | toStringOrNull(p[key])] AS facts,
       // include: verdicts
