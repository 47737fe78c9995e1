// Return whether a property is unique among the nodes of a label, with an example of a duplicate.
// parameters: label STRING, key STRING
// columns:    nodes INTEGER, filled INTEGER, different INTEGER, types LIST<STRING>, example ANY, twice ANY
MATCH (n:$($label))
WITH n[$key] AS value, count(*) AS times
RETURN coalesce(sum(times), 0) AS nodes,
       coalesce(sum(CASE WHEN value IS NOT NULL THEN times END), 0) AS filled,
       count(value) AS different,
       collect(DISTINCT replace(valueType(value), ' NOT NULL', '')) AS types,
       min(value) AS example,
       min(CASE WHEN times > 1 THEN value END) AS twice
ORDER BY nodes
