// Return the state of a vector index.
// parameters: index STRING
// columns:    state STRING, percent FLOAT, width INTEGER
SHOW VECTOR INDEXES YIELD name, state, populationPercent, options
WHERE name = $index
RETURN state, populationPercent AS percent, options['indexConfig']['vector.dimensions'] AS width
ORDER BY name
