// Delete the stored lists of a version in batches; safe to run again after an interruption.
// parameters: version STRING
// columns:    none
MATCH (:User)-[r:RECOMMENDED {version: $version}]->(:Product)
CALL (r) { DELETE r } IN TRANSACTIONS OF 10000 ROWS
