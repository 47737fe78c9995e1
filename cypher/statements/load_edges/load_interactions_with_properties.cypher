// Create holdings: for each user a list of product, rating, at, weight, split, other properties.
// parameters: groups LIST<LIST>
// columns:    none
UNWIND $groups AS held
MATCH (u:User {gid: held[0]})
SET u.changed = timestamp()
WITH u, held
UNWIND held[1] AS row
MATCH (p:Product {gid: row[0]})
CREATE (u)-[h:HOLDS {rating: row[1], at: row[2], weight: row[3], split: row[4]}]->(p)
SET h += row[5]
