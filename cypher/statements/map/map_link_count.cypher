// Return the number of relationships of a type, and the number of those between two labels.
// parameters: type STRING, source STRING, target STRING
// columns:    total INTEGER, fitting INTEGER
CALL () { MATCH ()-[r:$($type)]->() RETURN count(r) AS total }
CALL () { MATCH (a:$($source))-[r:$($type)]->(b:$($target)) RETURN count(r) AS fitting }
RETURN total, fitting
ORDER BY total
