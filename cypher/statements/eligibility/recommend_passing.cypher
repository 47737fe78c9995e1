// Return the products that custom rules allow for each user, out of a list per user.
// parameters: rows LIST
// columns:    user STRING, products LIST
UNWIND $rows AS row
MATCH (u:User {id: row.user})
CALL (u, row) {
  UNWIND row.products AS product
  MATCH (p:Product {id: product})
  WHERE true
    // own rules
  RETURN collect(p.id) AS products
}
RETURN u.id AS user, products
ORDER BY user
