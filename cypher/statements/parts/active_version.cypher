// The active version as `v`, or the one named $only; null without one.
head(COLLECT {
  MATCH (w:EmbeddingVersion)
  WHERE CASE WHEN $only IS NULL THEN w.state = 'active' ELSE w.name = $only END
  RETURN w ORDER BY w.created_at DESC, w.name LIMIT 1
}) AS v
