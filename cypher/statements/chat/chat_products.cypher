// Return the products that a message may mention: by an id among its words, or by a name in its text.
// parameters: ids LIST, line STRING
// columns:    product STRING, name STRING, is_id BOOLEAN
MATCH (p:Product)
WHERE p.id IN $ids OR (size(toString(p.name)) > 1 AND $line CONTAINS toLower(toString(p.name)))
RETURN p.id AS product, coalesce(p.name, p.id) AS name, p.id IN $ids AS is_id
ORDER BY is_id DESC, size(name) DESC, product
LIMIT 50
