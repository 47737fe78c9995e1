// Drop a constraint by name, if it exists.
// parameters: name STRING
// columns:    none
DROP CONSTRAINT $name IF EXISTS
