// Removes what says which embeddings there are.
// parameters: none
// columns:    removed INTEGER
MATCH (v:EmbeddingVersion) WHERE v.slot IS NOT NULL
DELETE v
RETURN count(*) AS removed
