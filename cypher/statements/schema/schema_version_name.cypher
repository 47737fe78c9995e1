// No two EmbeddingVersion nodes share their name.
// parameters: none
// columns:    none
CREATE CONSTRAINT version_name IF NOT EXISTS
FOR (n:EmbeddingVersion) REQUIRE n.name IS UNIQUE
