// Make the row number (gid) of a User node unique.
// parameters: none
// columns:    none
CREATE CONSTRAINT user_gid IF NOT EXISTS
FOR (n:User) REQUIRE n.gid IS UNIQUE
