// Drop an index by name, if it exists.
// parameters: name STRING
// columns:    none
DROP INDEX $name IF EXISTS
