// Return the state of a vector index.
// parameters: index STRING
// columns:    state STRING, percent FLOAT
SHOW VECTOR INDEXES YIELD name, state, populationPercent
WHERE name = $index
RETURN state, populationPercent AS percent
ORDER BY name
