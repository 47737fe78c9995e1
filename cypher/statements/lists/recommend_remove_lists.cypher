// Delete stored lists by their marks, in batches; safe to run again after an interruption.
// parameters: marks LIST
// columns:    none
MATCH (:User)-[r:RECOMMENDED]->(:Product)
WHERE r.version IS NOT NULL AND coalesce(r.list, '') IN $marks
CALL (r) { DELETE r } IN TRANSACTIONS OF 10000 ROWS
