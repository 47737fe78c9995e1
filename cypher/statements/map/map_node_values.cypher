// Return for each property of nodes of a label its types, NULL where it is missing: number and range of the values of each.
// parameters: label STRING, keys LIST<STRING>
// columns:    key STRING, type STRING, number INTEGER, least ANY, most ANY
MATCH (n:$($label))
UNWIND $keys AS key
WITH key, n[key] AS value
RETURN key, replace(valueType(value), ' NOT NULL', '') AS type, count(*) AS number,
       min(value) AS least, max(value) AS most
ORDER BY key, number DESC, type
