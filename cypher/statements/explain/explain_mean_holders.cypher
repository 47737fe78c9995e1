// Return the mean number of holders of a product.
// parameters: none
// columns:    mean_holders FLOAT
CALL () {
  MATCH (:User)-[r:HOLDS]->()
  RETURN count(r) AS all_holdings
}
CALL () {
  MATCH (q:Product)
  RETURN count(q) AS all_products
}
RETURN toFloat(all_holdings) / CASE all_products WHEN 0 THEN 1 ELSE all_products END AS mean_holders
ORDER BY mean_holders
