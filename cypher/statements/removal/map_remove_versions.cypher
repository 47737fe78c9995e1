// Delete the nodes that describe the versions of embeddings.
// parameters: none
// columns:    removed INTEGER
MATCH (v:EmbeddingVersion) WHERE v.slot IS NOT NULL
DELETE v
RETURN count(*) AS removed
