// How far a vector index is filled.
// parameters: index STRING
// columns:    state STRING, percent FLOAT
SHOW VECTOR INDEXES YIELD name, state, populationPercent
WHERE name = $index
RETURN state, populationPercent AS percent
ORDER BY name
