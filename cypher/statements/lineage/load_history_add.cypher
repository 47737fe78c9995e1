// Record a load of a folder under its number; the records of the loads `keep` numbers before it, and of those before, are deleted.
// parameters: number INTEGER, row MAP, keep INTEGER
// columns:    none
MERGE (l:LoadRecord {number: $number})
SET l += $row, l.ended = timestamp()
WITH l
MATCH (old:LoadRecord) WHERE old.number <= $number - $keep
DELETE old
