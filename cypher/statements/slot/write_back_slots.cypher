// Make the slot of an EmbeddingVersion node unique: the owner of the node is the only writer of the slot.
// parameters: none
// columns:    none
CREATE CONSTRAINT version_slot IF NOT EXISTS
FOR (n:EmbeddingVersion) REQUIRE n.slot IS UNIQUE
