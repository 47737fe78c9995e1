// How many reviews with a writer there are; a count that the database keeps itself.
// parameters: none
// columns:    reviews INTEGER
MATCH (u:User)-[w:WROTE]->() RETURN count(w) AS reviews
