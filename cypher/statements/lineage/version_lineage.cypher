// Return what a version keeps about its origin as JSON texts: recorded loads, options of the training, packages.
// parameters: version STRING
// columns:    loads STRING, config STRING, trained_with STRING
MATCH (v:EmbeddingVersion {name: $version})
RETURN v.loads AS loads, v.config AS config, v.trained_with AS trained_with
ORDER BY v.slot
