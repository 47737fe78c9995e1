// Return the marks of stored lists that are neither current nor being written: replaced ones and those of writers that were
// cut off, which are silent for some seconds; '' is without a mark.
// parameters: silence INTEGER
// columns:    marks LIST, relationships INTEGER
OPTIONAL MATCH (v:EmbeddingVersion)
WITH collect(v.lists)
  + collect(CASE WHEN timestamp() - coalesce(v.lists_beat, 0) < 1000 * $silence THEN v.next_lists END) AS current
MATCH (:User)-[r:RECOMMENDED]->(:Product)
WHERE r.version IS NOT NULL AND NOT coalesce(r.list IN current, false)
RETURN collect(DISTINCT coalesce(r.list, '')) AS marks, count(r) AS relationships
ORDER BY relationships
