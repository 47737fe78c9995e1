// Delete some of the stored lists; repeat until it returns 0.
// parameters: size INTEGER
// columns:    removed INTEGER
MATCH (:User)-[r:RECOMMENDED]->(:Product) WHERE r.version IS NOT NULL
WITH r LIMIT $size
DELETE r
RETURN count(*) AS removed
