// Return the recorded loads of folders, the oldest first: files, their SHA-256, and rows accepted and rejected.
// parameters: none
// columns:    load MAP
MATCH (l:LoadRecord)
RETURN l {.*} AS load
ORDER BY l.number
