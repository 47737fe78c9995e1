// Return the version that serves a place in a split (null: the active one) and a product's vector in its slot; nulls where
// one does not exist.
// parameters: product_id STRING, place INTEGER, only STRING
// columns:    product STRING, version STRING, slot STRING, heads INTEGER, dim INTEGER, length FLOAT, general_width INTEGER, products INTEGER, fetch INTEGER, cut INTEGER, embedding LIST
OPTIONAL MATCH (p:Product {id: $product_id})
WITH p, $place AS place
WITH p,
  // include: active_version
RETURN p.id AS product, v.name AS version, v.slot AS slot, v.heads AS heads, v.dim AS dim,
       v.length AS length, size(v.general) AS general_width, v.products AS products, v.fetch AS fetch, v.cut AS cut,
       p['embedding_' + v.slot] AS embedding
ORDER BY product
