// End the writers of some lists, so that none of them becomes current although its lists were removed.
// parameters: marks LIST
// columns:    none
MATCH (v:EmbeddingVersion) WHERE v.next_lists IN $marks
REMOVE v.next_lists, v.lists_beat
