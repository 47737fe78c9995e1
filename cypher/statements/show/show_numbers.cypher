// How many users and products there are.
// parameters: none
// columns:    users INTEGER, products INTEGER
RETURN COUNT { (:User) } AS users, COUNT { (:Product) } AS products
ORDER BY users
