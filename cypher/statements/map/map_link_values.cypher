// Return for each property the number of relationships of a type between two labels that have it, and its types.
// parameters: type STRING, source STRING, target STRING, keys LIST<STRING>
// columns:    key STRING, total INTEGER, filled INTEGER, types LIST<STRING>, least ANY, most ANY
MATCH (a:$($source))-[r:$($type)]->(b:$($target))
UNWIND $keys AS key
WITH key, r[key] AS value
RETURN key, count(*) AS total, count(value) AS filled,
       [type IN collect(DISTINCT replace(valueType(value), ' NOT NULL', '')) WHERE type <> 'NULL'] AS types,
       min(value) AS least, max(value) AS most
ORDER BY key
