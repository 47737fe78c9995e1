// Removes the stored lists of a version, some at a time; again removes what is left.
// parameters: version STRING
// columns:    none
MATCH (:User)-[r:RECOMMENDED {version: $version}]->(:Product)
CALL (r) { DELETE r } IN TRANSACTIONS OF 10000 ROWS
