// Return the size of the graph, from the server's own counts.
// parameters: none
// columns:    nodes INTEGER, users INTEGER, products INTEGER, interactions INTEGER, ties INTEGER, reviews INTEGER, dismissals INTEGER
RETURN COUNT { MATCH (n) } AS nodes,
       COUNT { MATCH (u:User) } AS users,
       COUNT { MATCH (p:Product) } AS products,
       COUNT { MATCH ()-[h:HOLDS]->() } AS interactions,
       COUNT { MATCH ()-[t:TIED_TO]->() } AS ties,
       COUNT { MATCH (r:Review) } AS reviews,
       COUNT { MATCH ()-[d:DISMISSED]->() } AS dismissals
