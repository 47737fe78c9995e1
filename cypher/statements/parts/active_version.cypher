// The version that serves a user at `place` 0 to 99 as `v`: the active one, or during a split, below its percentage, the ready
// one; the active one if `place` is null. With $only the version of that name. Null without one.
head(COLLECT {
  MATCH (w:EmbeddingVersion)
  WHERE CASE WHEN $only IS NOT NULL THEN w.name = $only
             ELSE w.state = 'active' OR (w.state = 'ready' AND place < w.split) END
  RETURN w ORDER BY w.state DESC, w.created_at DESC, w.name LIMIT 1
}) AS v
