// Return the id of a product that resembles an id that does not exist.
// parameters: id STRING
// columns:    id STRING
MATCH (n:Product)
WHERE toLower(n.id) = toLower(trim($id)) OR n.id STARTS WITH $id OR toLower(toStringOrNull(([] + n.name)[0])) = toLower(trim($id))
   OR (size(n.id) > 1 AND $id STARTS WITH n.id)
RETURN n.id AS id
ORDER BY abs(size(n.id) - size($id)), id
LIMIT 1
