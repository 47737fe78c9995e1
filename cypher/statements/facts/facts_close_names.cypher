// Return products whose name contains one of some parts of words, those with most parts first.
// parameters: parts LIST, most INTEGER
// columns:    product STRING, name STRING
MATCH (p:Product)
WITH p, toStringOrNull(([] + p.name)[0]) AS name
WITH p, name, size([part IN $parts WHERE toLower(name) CONTAINS part]) AS found
WHERE found > 0
RETURN p.id AS product, name
ORDER BY found DESC, product
LIMIT $most
