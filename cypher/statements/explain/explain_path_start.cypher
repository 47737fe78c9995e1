// Return the first node of a path, by label and key.
// parameters: label STRING, id STRING
// columns:    node STRING
CALL () {
  MATCH (n:User {id: $id}) WHERE $label = 'User' RETURN n
  UNION ALL
  MATCH (n:Product {id: $id}) WHERE $label = 'Product' RETURN n
}
RETURN elementId(n) AS node
ORDER BY node
