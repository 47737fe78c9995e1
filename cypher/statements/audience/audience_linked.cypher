// Return for each user with a row number the sum of the links from holdings in the training split to a product, if there are any.
// parameters: product_id STRING
// columns:    gid INTEGER, linked FLOAT
MATCH (p:Product {id: $product_id})
WITH p, COLLECT { MATCH (n:Product) WHERE p.gid IN [] + n.similar_a RETURN n } AS linking
UNWIND linking AS n
WITH n, reduce(total = 0.0, place IN range(0, size(n.similar_a) - 1)
       | total + CASE n.similar_a[place] WHEN p.gid THEN n.similar_weight_a[place] ELSE 0.0 END) AS weight
MATCH (n)<-[h:HOLDS]-(u:User)
WHERE coalesce(h.split, 'train') = 'train' AND u.gid IS NOT NULL
WITH DISTINCT n, weight, u
RETURN u.gid AS gid, sum(weight) AS linked
ORDER BY gid
