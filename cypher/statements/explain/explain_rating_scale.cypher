// Return the middle of the scale of ratings, by a sample of the holdings; null where all are equal.
// parameters: none
// columns:    middle_rating FLOAT
MATCH (:User)-[h:HOLDS]->(:Product) WHERE h.rating IS NOT NULL
WITH toFloatOrNull(h.rating) AS rating LIMIT 10000
WITH min(rating) AS least, max(rating) AS most
RETURN CASE WHEN least < most THEN (least + most) / 2 END AS middle_rating
ORDER BY middle_rating
