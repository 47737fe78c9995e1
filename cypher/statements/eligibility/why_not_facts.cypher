// Return the properties of a user and a product that the rules read, with their verdicts; nulls where one does not exist.
// parameters: user_id STRING, product_id STRING, harmless LIST
// columns:    user STRING, product STRING, name STRING, kind STRING, is_held BOOLEAN, is_dismissed BOOLEAN, open BOOLEAN, countries LIST, country STRING, risk INTEGER, risk_tolerance INTEGER, is_open BOOLEAN, is_sold BOOLEAN, is_safe BOOLEAN, is_rated BOOLEAN
OPTIONAL MATCH (u:User {id: $user_id})
OPTIONAL MATCH (p:Product {id: $product_id})
RETURN u.id AS user, p.id AS product, coalesce(toStringOrNull(([] + p.name)[0]), p.id) AS name, p.kind AS kind,
       EXISTS { (u)-[:HOLDS]->(p) } AS is_held,
       EXISTS { (u)-[:DISMISSED]->(p) } AS is_dismissed,
       p.open AS open, p.countries AS countries, u.country AS country,
       p.risk AS risk, u.risk_tolerance AS risk_tolerance,
       // include: verdicts
ORDER BY user
