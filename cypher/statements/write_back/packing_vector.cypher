// Whether a vector is understood as a parameter.
// parameters: numbers LIST
// columns:    numbers LIST
CYPHER 25
RETURN toFloatList($numbers) AS numbers
ORDER BY numbers
