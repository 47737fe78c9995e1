// Make the row number (gid) of a Product node unique.
// parameters: none
// columns:    none
CREATE CONSTRAINT product_gid IF NOT EXISTS
FOR (n:Product) REQUIRE n.gid IS UNIQUE
