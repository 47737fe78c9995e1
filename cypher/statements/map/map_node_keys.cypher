// Return the properties of a sample of nodes of a label; `longest` counts characters.
// parameters: label STRING, sample INTEGER
// columns:    key STRING, filled INTEGER, types LIST<STRING>, least ANY, most ANY, longest INTEGER
MATCH (n:$($label))
WITH n LIMIT $sample
UNWIND keys(n) AS key
WITH key, n[key] AS value
RETURN key, count(value) AS filled, collect(DISTINCT replace(valueType(value), ' NOT NULL', '')) AS types,
       min(value) AS least, max(value) AS most, max(size(toStringOrNull(value))) AS longest
ORDER BY key
