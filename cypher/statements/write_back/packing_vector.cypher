// Return a vector parameter, to test that the server accepts it.
// parameters: numbers LIST
// columns:    numbers LIST
CYPHER 25
RETURN toFloatList($numbers) AS numbers
ORDER BY numbers
