// The labels of a graph and how many nodes have each.
// parameters: none
// columns:    label STRING, nodes INTEGER
CALL db.labels() YIELD label
CALL (label) { MATCH (n:$(label)) RETURN count(n) AS nodes }
WITH label, nodes WHERE nodes > 0
RETURN label, nodes
ORDER BY nodes DESC, label
