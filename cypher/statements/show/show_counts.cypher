// Return the number of users and products.
// parameters: none
// columns:    users INTEGER, products INTEGER
RETURN COUNT { (:User) } AS users, COUNT { (:Product) } AS products
ORDER BY users
