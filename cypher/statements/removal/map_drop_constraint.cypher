// Drops a constraint by its name, when it is there.
// parameters: name STRING
// columns:    none
DROP CONSTRAINT $name IF EXISTS
