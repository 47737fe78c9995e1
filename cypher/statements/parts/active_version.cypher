// The active version as `v`, null without one.
head(COLLECT {
  MATCH (w:EmbeddingVersion {state: 'active'})
  RETURN w ORDER BY w.created_at DESC LIMIT 1
}) AS v
