// No two Product nodes share their row number (gid).
// parameters: none
// columns:    none
CREATE CONSTRAINT product_gid IF NOT EXISTS
FOR (n:Product) REQUIRE n.gid IS UNIQUE
