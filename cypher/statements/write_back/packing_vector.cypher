// Return a vector that was sent as a parameter, to test that the server takes it.
// parameters: numbers LIST
// columns:    numbers LIST
CYPHER 25
RETURN toFloatList($numbers) AS numbers
ORDER BY numbers
