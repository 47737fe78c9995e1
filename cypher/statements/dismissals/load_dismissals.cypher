// Create or update dismissals: user, product, rating. A holding of the pair is removed; a dismissal
// by the user stays as it is.
// parameters: rows LIST<LIST>
// columns:    none
UNWIND $rows AS row
MATCH (u:User {gid: row[0]})
MATCH (p:Product {gid: row[1]})
WITH u, p, row[2] AS rating,
     COLLECT { MATCH (u)-[h:HOLDS]->(p) RETURN h } AS held,
     COLLECT { MATCH (u)-[d:DISMISSED]->(p) RETURN d }[0] AS dismissed
WHERE size(held) > 0 OR dismissed IS NULL
   OR (dismissed.loaded AND coalesce(dismissed.rating <> rating, NOT (dismissed.rating IS NULL AND rating IS NULL)))
SET u.changed = timestamp()
FOREACH (h IN held | DELETE h)
WITH u, p, rating, dismissed WHERE dismissed IS NULL OR dismissed.loaded
MERGE (u)-[d:DISMISSED]->(p)
SET d.loaded = true, d.rating = rating
