// Return the recipe of a version for new products; null if it has none.
// parameters: version STRING, into STRING
// columns:    content BYTES
MATCH (v:EmbeddingVersion {name: $version, slot: $into})
RETURN v.recipe AS content
ORDER BY v.slot
