// Return for each property of relationships of a type between two labels its types, NULL where it is missing: number and range of the values of each.
// parameters: type STRING, source STRING, target STRING, keys LIST<STRING>
// columns:    key STRING, type STRING, number INTEGER, least ANY, most ANY
MATCH (a:$($source))-[r:$($type)]->(b:$($target))
UNWIND $keys AS key
WITH key, r[key] AS value
RETURN key, replace(valueType(value), ' NOT NULL', '') AS type, count(*) AS number,
       min(value) AS least, max(value) AS most
ORDER BY key, number DESC, type
