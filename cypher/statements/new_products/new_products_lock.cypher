// Lock a version that serves or could serve, and return what new products change of it; no row if it was replaced.
// parameters: version STRING, into STRING
// columns:    length FLOAT, products INTEGER, product_messages INTEGER, hash_products STRING, markets LIST, has_risk BOOLEAN
MATCH (v:EmbeddingVersion {name: $version, slot: $into}) WHERE v.state IN ['ready', 'active']
SET v.asked = timestamp()
REMOVE v.asked
RETURN v.length AS length, v.products AS products, v.product_messages AS product_messages, v.hash_products AS hash_products,
       v.markets AS markets, v.has_risk AS has_risk
ORDER BY products
