// Return kind and categories of some products.
// parameters: product_ids LIST
// columns:    product STRING, kind STRING, categories LIST
UNWIND $product_ids AS product_id
MATCH (p:Product {id: product_id})
RETURN p.id AS product, toStringOrNull(([] + p.kind)[0]) AS kind, COLLECT {
  MATCH (p)-[:IN_CATEGORY]->(c:Category)
  RETURN DISTINCT toStringOrNull(c.name) AS name ORDER BY name
} AS categories
ORDER BY product
