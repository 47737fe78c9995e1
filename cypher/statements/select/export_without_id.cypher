// Return the number of users and products without an id.
// parameters: none
// columns:    without_id INTEGER
CALL () { MATCH (u:User) RETURN count(*) - count(u.id) AS users_without_id }
CALL () { MATCH (p:Product) RETURN count(*) - count(p.id) AS products_without_id }
RETURN users_without_id + products_without_id AS without_id
