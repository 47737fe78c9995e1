// What the rules ask about a user and a product; nulls where one of them is missing.
// parameters: user_id STRING, product_id STRING
// columns:    user STRING, product STRING, name STRING, is_held BOOLEAN, is_dismissed BOOLEAN, open BOOLEAN, is_open BOOLEAN, countries LIST, country STRING, is_sold BOOLEAN, risk INTEGER, risk_tolerance INTEGER, is_safe BOOLEAN
OPTIONAL MATCH (u:User {id: $user_id})
OPTIONAL MATCH (p:Product {id: $product_id})
RETURN u.id AS user, p.id AS product, coalesce(p.name, p.id) AS name,
       EXISTS { (u)-[:HOLDS]->(p) } AS is_held,
       EXISTS { (u)-[:DISMISSED]->(p) } AS is_dismissed,
       p.open AS open, coalesce(p.open, true) = true AS is_open,
       p.countries AS countries, u.country AS country,
       coalesce(p.countries IS NULL OR size(p.countries) = 0 OR u.country IN p.countries, false) AS is_sold,
       p.risk AS risk, u.risk_tolerance AS risk_tolerance,
       coalesce(p.risk IS NULL OR p.risk <= u.risk_tolerance, false) AS is_safe
ORDER BY user
