// Drops an index by its name, when it is there.
// parameters: name STRING
// columns:    none
DROP INDEX $name IF EXISTS
