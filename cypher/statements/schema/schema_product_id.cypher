// No two Product nodes share their id.
// parameters: none
// columns:    none
CREATE CONSTRAINT product_id IF NOT EXISTS
FOR (n:Product) REQUIRE n.id IS UNIQUE
