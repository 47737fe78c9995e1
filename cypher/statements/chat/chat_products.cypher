// Return the products that a message may mention: by an id among its words, or by a name in its text.
// Longer names first, and of one name those on display.
// parameters: ids LIST, line STRING, shown LIST
// columns:    product STRING, name STRING, is_id BOOLEAN
MATCH (p:Product)
WITH p, trim(coalesce(toStringOrNull(([] + p.name)[0]), '')) AS name
WHERE p.id IN $ids OR (name <> '' AND $line CONTAINS toLower(name))
RETURN p.id AS product, CASE name WHEN '' THEN p.id ELSE name END AS name, p.id IN $ids AS is_id
ORDER BY is_id DESC, size(name) DESC, product IN $shown DESC, product
LIMIT 50
