// Make the name of an EmbeddingVersion node unique.
// parameters: none
// columns:    none
CREATE CONSTRAINT version_name IF NOT EXISTS
FOR (n:EmbeddingVersion) REQUIRE n.name IS UNIQUE
