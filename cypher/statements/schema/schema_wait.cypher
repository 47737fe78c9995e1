// Wait until all indexes are online; fail after a number of seconds.
// parameters: seconds INTEGER
// columns:    none
CALL db.awaitIndexes($seconds)
