// Return a user and a product with their vectors and the verdicts of the rules; nulls where one does not exist.
// parameters: user_id STRING, product_id STRING, version STRING, harmless LIST
// columns:    user STRING, product STRING, product_gid INTEGER, name STRING, kind STRING, is_held BOOLEAN, is_dismissed BOOLEAN, country STRING, risk INTEGER, risk_tolerance INTEGER, own LIST, general LIST, tie_weight FLOAT, embedding LIST, known_by LIST, holders INTEGER, mean_rating FLOAT, is_open BOOLEAN, is_sold BOOLEAN, is_safe BOOLEAN, is_rated BOOLEAN
OPTIONAL MATCH (u:User {id: $user_id})
OPTIONAL MATCH (p:Product {id: $product_id})
OPTIONAL MATCH (w:EmbeddingVersion {name: $version})
CALL (u, p) {
  OPTIONAL MATCH (p)<-[r:HOLDS]-(v:User)
  WHERE coalesce(r.split, 'train') = 'train' AND v <> u
  RETURN count(DISTINCT v) AS holders, avg(r.rating) AS mean_rating
}
RETURN u.id AS user, p.id AS product, p.gid AS product_gid, coalesce(toStringOrNull(([] + p.name)[0]), p.id) AS name, p.kind AS kind,
       EXISTS { (u)-[:HOLDS]->(p) } AS is_held,
       EXISTS { (u)-[:DISMISSED]->(p) } AS is_dismissed,
       u.country AS country, p.risk AS risk, u.risk_tolerance AS risk_tolerance,
       u.own_a AS own, w.general AS general, w.tie_weight AS tie_weight,
       p.embedding_a AS embedding, p.new_a AS known_by, holders, mean_rating,
       // include: verdicts
