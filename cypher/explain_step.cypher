// Where one relationship leads from some nodes; a null id stands for any node of the label.
// parameters: nodes LIST, type STRING, is_out BOOLEAN, label STRING, id STRING, user_id STRING
// columns:    node STRING
UNWIND $nodes AS node
MATCH (a)-[r]-(b)
WHERE elementId(a) = node AND type(r) = $type AND coalesce(r.split, 'train') = 'train'
  AND (CASE WHEN $is_out THEN startNode(r) = a ELSE endNode(r) = a END)
  AND $label IN labels(b)
  AND CASE
    WHEN $id IS NOT NULL THEN coalesce(b.id, b.name) = $id
    ELSE coalesce(b.id, '') <> $user_id
  END
RETURN DISTINCT elementId(b) AS node
ORDER BY node
