// Removes some of the lists that kinfolio kept as relationships; as often as there are any left.
// parameters: size INTEGER
// columns:    removed INTEGER
MATCH (:User)-[r:RECOMMENDED]->(:Product) WHERE r.version IS NOT NULL
WITH r LIMIT $size
DELETE r
RETURN count(*) AS removed
