// Return the number of reviews with a writer, from the server's own counts.
// parameters: none
// columns:    reviews INTEGER
MATCH (u:User)-[w:WROTE]->() RETURN count(w) AS reviews
