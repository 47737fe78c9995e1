// Make the slot of an EmbeddingVersion node unique: only the owner of the node writes to the slot.
// parameters: none
// columns:    none
CREATE CONSTRAINT version_slot IF NOT EXISTS
FOR (n:EmbeddingVersion) REQUIRE n.slot IS UNIQUE
