// Return the properties of a sample of relationships of a type between two labels; `longest` counts characters.
// parameters: type STRING, source STRING, target STRING, sample INTEGER
// columns:    key STRING, filled INTEGER, types LIST<STRING>, least ANY, most ANY, longest INTEGER
MATCH (a:$($source))-[r:$($type)]->(b:$($target))
WITH r LIMIT $sample
UNWIND keys(r) AS key
WITH key, r[key] AS value
RETURN key, count(value) AS filled, collect(DISTINCT replace(valueType(value), ' NOT NULL', '')) AS types,
       min(value) AS least, max(value) AS most, max(size(toStringOrNull(value))) AS longest
ORDER BY key
