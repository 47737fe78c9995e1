// Make the id of a User node unique.
// parameters: none
// columns:    none
CREATE CONSTRAINT user_id IF NOT EXISTS
FOR (n:User) REQUIRE n.id IS UNIQUE
