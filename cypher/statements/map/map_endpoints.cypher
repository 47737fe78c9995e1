// Return the labels that a sample of relationships of a type connects.
// parameters: type STRING, sample INTEGER
// columns:    source STRING, target STRING, links INTEGER
MATCH (a)-[r:$($type)]->(b)
WITH a, b LIMIT $sample
UNWIND labels(a) AS source
UNWIND labels(b) AS target
RETURN source, target, count(*) AS links
ORDER BY links DESC, source, target
