// Return the number of users, products and relationships in the names of the mapping.
// parameters: none
// columns:    users INTEGER, products INTEGER, holdings INTEGER, dismissals INTEGER, ties INTEGER, reviews INTEGER, categories INTEGER
RETURN COUNT { (:User) } AS users, COUNT { (:Product) } AS products,
       COUNT { (:User)-[:HOLDS]->(:Product) } AS holdings,
       COUNT { (:User)-[:DISMISSED]->(:Product) } AS dismissals,
       COUNT { (:User)-[:TIED_TO]->(:User) } AS ties,
       COUNT { (:User)-[:WROTE]->(:Review)-[:ABOUT]->(:Product) } AS reviews,
       COUNT { (:Product)-[:IN_CATEGORY]->(:Category) } AS categories
ORDER BY users
