// Make the id of a Product node unique.
// parameters: none
// columns:    none
CREATE CONSTRAINT product_id IF NOT EXISTS
FOR (n:Product) REQUIRE n.id IS UNIQUE
