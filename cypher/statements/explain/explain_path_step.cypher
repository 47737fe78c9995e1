// Return the nodes that one relationship connects to some nodes; a null id matches any node of the label. Label, type and
// the properties with key and split are parameters, since they are the graph's own names.
// parameters: nodes LIST, type STRING, split STRING, is_out BOOLEAN, label STRING, key STRING, id STRING, user_id STRING
// columns:    node STRING
UNWIND $nodes AS node
MATCH (a)-[r]-(b)
WHERE elementId(a) = node AND type(r) = $type AND coalesce(r[$split], 'train') = 'train'
  AND (CASE WHEN $is_out THEN startNode(r) = a ELSE endNode(r) = a END)
  AND $label IN labels(b)
WITH b, CASE WHEN $key IS NULL THEN elementId(b) ELSE coalesce(toStringOrNull(b[$key]), '') END AS key
WHERE CASE WHEN $id IS NOT NULL THEN key = $id ELSE key <> $user_id END
RETURN DISTINCT elementId(b) AS node
ORDER BY node
