// Return how many products each rule excludes from a user's list; a product counts for the first such rule only.
// parameters: user_id STRING, is_compared BOOLEAN, harmless LIST
// columns:    rule STRING, products INTEGER
MATCH (u:User {id: $user_id})
WITH u, COLLECT { MATCH (u)-[:HOLDS]->(x:Product) RETURN x } AS held,
     COLLECT { MATCH (u)-[:DISMISSED]->(x:Product) RETURN x } AS dismissed
MATCH (p:Product)
WITH u, p, held, dismissed,
  // include: verdicts
WITH u, p, CASE
  WHEN p IN held THEN 'held'
  WHEN p IN dismissed THEN 'dismissed'
  WHEN NOT is_open THEN 'closed'
  WHEN NOT is_sold THEN 'country'
  WHEN NOT is_safe THEN 'risk'
  WHEN NOT is_rated THEN 'unrated'
  WHEN NOT (true
    // own rules
  ) THEN 'own'
  WHEN $is_compared AND p.embedding_a IS NULL THEN 'new'
END AS rule
WHERE rule IS NOT NULL
RETURN rule, count(p) AS products
ORDER BY products DESC, rule
