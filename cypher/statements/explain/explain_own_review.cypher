// Return one review by the user, preferably of a product in a category of the explained product.
// parameters: user_id STRING, product_id STRING
// columns:    review STRING, id STRING, name STRING
MATCH (b:Product {id: $product_id})
MATCH (u:User {id: $user_id})-[:WROTE]->(r:Review)-[:ABOUT]->(a:Product)
WHERE coalesce(r.split, 'train') = 'train'
  AND NOT EXISTS { MATCH (u)-[h:HOLDS]->(a) WHERE coalesce(h.split, 'train') <> 'train' }
RETURN r.id AS review, a.id AS id, coalesce(toStringOrNull(([] + a.name)[0]), a.id) AS name
ORDER BY EXISTS { (a)-[:IN_CATEGORY]->()<-[:IN_CATEGORY]-(b) } DESC, r.at, review
LIMIT 1
