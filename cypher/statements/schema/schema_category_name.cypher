// Make the name of a Category node unique.
// parameters: none
// columns:    none
CREATE CONSTRAINT category_name IF NOT EXISTS
FOR (n:Category) REQUIRE n.name IS UNIQUE
