// How many products each rule keeps from a user's list; a product counts for the first rule that it breaks.
// parameters: user_id STRING, is_compared BOOLEAN
// columns:    rule STRING, products INTEGER
MATCH (u:User {id: $user_id})
WITH u, COLLECT { MATCH (u)-[:HOLDS]->(x:Product) RETURN x } AS held,
     COLLECT { MATCH (u)-[:DISMISSED]->(x:Product) RETURN x } AS dismissed
MATCH (p:Product)
WITH u, p, CASE
  WHEN p IN held THEN 'held'
  WHEN p IN dismissed THEN 'dismissed'
  WHEN coalesce(p.open, true) <> true THEN 'closed'
  WHEN NOT coalesce(p.countries IS NULL OR size(p.countries) = 0 OR u.country IN p.countries, false)
    THEN 'country'
  WHEN NOT coalesce(p.risk IS NULL OR p.risk <= u.risk_tolerance, false) THEN 'risk'
  WHEN NOT (true
    // own rules
  ) THEN 'own'
  WHEN $is_compared AND p.embedding_a IS NULL THEN 'new'
END AS rule
WHERE rule IS NOT NULL
RETURN rule, count(p) AS products
ORDER BY products DESC, rule
