// Lock the versions that serve or could serve, in one order: of several changes of the active version, each sees the
// result of the one before, if it reads the states by a later statement of its transaction.
// parameters: none
// columns:    locked INTEGER
MATCH (v:EmbeddingVersion) WHERE v.state IN ['ready', 'active']
WITH v ORDER BY elementId(v)
SET v.asked = timestamp()
REMOVE v.asked
RETURN count(v) AS locked
ORDER BY locked
