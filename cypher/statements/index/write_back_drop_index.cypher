// Drop the vector index of the slot.
// parameters: none
// columns:    none
DROP INDEX product_embedding_a IF EXISTS
