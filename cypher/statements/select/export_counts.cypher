// Return the number of nodes and relationships, from the server's own counts.
// parameters: none
// columns:    users INTEGER, products INTEGER, holdings INTEGER, ties INTEGER
CALL () { MATCH (u:User) RETURN count(*) AS users }
CALL () { MATCH (p:Product) RETURN count(*) AS products }
CALL () { MATCH (:User)-[h:HOLDS]->() RETURN count(h) AS holdings }
CALL () { MATCH (:User)-[t:TIED_TO]->() RETURN count(t) AS ties }
RETURN users, products, holdings, ties
