// Return the short texts that own properties of products have, such as a provider or a currency, in the first products.
// parameters: sample INTEGER
// columns:    property STRING, value STRING, products INTEGER
MATCH (p:Product)
WITH p LIMIT $sample
UNWIND keys(p) AS property
WITH property, valueType(p[property]) AS type, toStringOrNull(p[property]) AS value
WHERE type STARTS WITH 'STRING' AND trim(value) <> '' AND size(value) < 60
WITH property, value, count(*) AS products
ORDER BY property, products DESC, value
WITH property, collect({value: value, products: products}) AS found
WHERE size(found) <= 60
UNWIND found AS one
RETURN property, one.value AS value, one.products AS products
ORDER BY property, products DESC, value
