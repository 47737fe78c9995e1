// Return the id of the database, which stays the same when the server gets another address.
// parameters: none
// columns:    id STRING
CALL db.info() YIELD id
RETURN id
