// No two Review nodes share their id.
// parameters: none
// columns:    none
CREATE CONSTRAINT review_id IF NOT EXISTS
FOR (n:Review) REQUIRE n.id IS UNIQUE
