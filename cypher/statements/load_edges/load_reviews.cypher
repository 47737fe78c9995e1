// Create reviews: user, product, id, at, rating, text, split, other properties.
// parameters: rows LIST<LIST>
// columns:    none
UNWIND $rows AS row
MATCH (u:User {gid: row[0]})
MATCH (p:Product {gid: row[1]})
SET u.changed = timestamp()
CREATE (u)-[:WROTE]->(r:Review {id: row[2], at: row[3], rating: row[4], text: row[5],
  split: row[6]})-[:ABOUT]->(p)
SET r += row[7]
