// Return the labels of the graph and the number of nodes of each.
// parameters: none
// columns:    label STRING, nodes INTEGER
CALL db.labels() YIELD label
CALL (label) { MATCH (n:$(label)) RETURN count(n) AS nodes }
WITH label, nodes WHERE nodes > 0
RETURN label, nodes
ORDER BY nodes DESC, label
