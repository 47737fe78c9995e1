// Return all versions without their recipes, references and long texts of their origin, newest first, and the seconds since each writer's last heartbeat, by the server's clock.
// parameters: none
// columns:    version MAP
MATCH (v:EmbeddingVersion) WHERE v.name IS NOT NULL OR v.slot IS NOT NULL
RETURN v {.*, recipe: null, reference: null, loads: null, config: null, silent_seconds: (timestamp() - coalesce(v.beat, 0)) / 1000.0} AS version
ORDER BY v.created_at DESC, v.name
