// Returns when every index is filled, or fails after so many seconds.
// parameters: seconds INTEGER
// columns:    none
CALL db.awaitIndexes($seconds)
