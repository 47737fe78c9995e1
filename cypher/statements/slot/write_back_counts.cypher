// Return the number of nodes with properties of the slot, the share of its products whose `open` is true or null,
// and twenty evenly spaced quantiles of their risk levels, lowest first; -Infinity is no level.
// parameters: none
// columns:    products INTEGER, product_messages INTEGER, linked INTEGER, users INTEGER, with_vector INTEGER, user_messages INTEGER, open_share FLOAT, has_risk BOOLEAN, risk_levels LIST
CALL () {
  MATCH (p:Product) WHERE p.embedding_a IS NOT NULL
  WITH p, coalesce(toFloatOrNull(p.risk), -Infinity) AS level ORDER BY level
  RETURN count(p) AS products, count(p.message_a) AS product_messages, count(p.similar_a) AS linked,
         avg(CASE WHEN coalesce(p.open, true) = true THEN 1.0 ELSE 0.0 END) AS open_share,
         coalesce(max(level) > -Infinity, false) AS has_risk, collect(level) AS levels
}
CALL () {
  MATCH (u:User) WHERE u.counted_a IS NOT NULL
  RETURN count(u) AS users, count(u.embedding_a) AS with_vector, count(u.message_a) AS user_messages
}
RETURN products, product_messages, linked, users, with_vector, user_messages, coalesce(open_share, 0.0) AS open_share, has_risk,
       [i IN range(0, 19) WHERE products > 0 | levels[i * products / 20]] AS risk_levels
ORDER BY products
