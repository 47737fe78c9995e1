// Return what a version stores of its training; null for a version of before.
// parameters: version STRING, into STRING
// columns:    content BYTES
MATCH (v:EmbeddingVersion {name: $version, slot: $into})
RETURN v.reference AS content
ORDER BY v.slot
