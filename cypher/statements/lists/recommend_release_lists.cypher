// Record that a writer of lists ended, so that its lists count as leftovers.
// parameters: mark STRING
// columns:    none
MATCH (v:EmbeddingVersion {next_lists: $mark})
SET v.lists_beat = 0
