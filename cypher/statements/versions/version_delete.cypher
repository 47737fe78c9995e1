// Delete a version whose slot has been cleared.
// parameters: writer STRING
// columns:    version STRING
MATCH (v:EmbeddingVersion {state: 'writing', writer: $writer})
WITH v, v.name AS version
DELETE v
RETURN version
