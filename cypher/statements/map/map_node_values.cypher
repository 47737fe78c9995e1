// Return for each property the number of nodes of a label that have it, and its types.
// parameters: label STRING, keys LIST<STRING>
// columns:    key STRING, total INTEGER, filled INTEGER, types LIST<STRING>, least ANY, most ANY
MATCH (n:$($label))
UNWIND $keys AS key
WITH key, n[key] AS value
RETURN key, count(*) AS total, count(value) AS filled,
       [type IN collect(DISTINCT replace(valueType(value), ' NOT NULL', '')) WHERE type <> 'NULL'] AS types,
       min(value) AS least, max(value) AS most
ORDER BY key
