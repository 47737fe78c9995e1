// No two User nodes share their row number (gid).
// parameters: none
// columns:    none
CREATE CONSTRAINT user_gid IF NOT EXISTS
FOR (n:User) REQUIRE n.gid IS UNIQUE
