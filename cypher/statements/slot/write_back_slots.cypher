// No two EmbeddingVersion nodes share a slot: whoever writes into a slot owns its node.
// parameters: none
// columns:    none
CREATE CONSTRAINT version_slot IF NOT EXISTS
FOR (n:EmbeddingVersion) REQUIRE n.slot IS UNIQUE
