// All versions, newest first, and how long each was silent by the clock of the server.
// parameters: none
// columns:    version MAP
MATCH (v:EmbeddingVersion) WHERE v.name IS NOT NULL
RETURN v {.*, silent_seconds: (timestamp() - coalesce(v.beat, 0)) / 1000.0} AS version
ORDER BY v.created_at DESC, v.name
