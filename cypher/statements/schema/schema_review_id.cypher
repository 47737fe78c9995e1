// Make the id of a Review node unique.
// parameters: none
// columns:    none
CREATE CONSTRAINT review_id IF NOT EXISTS
FOR (n:Review) REQUIRE n.id IS UNIQUE
