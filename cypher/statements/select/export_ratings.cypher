// Return the number of holdings with each rating, lowest first; at most a thousand different ones.
// parameters: none
// columns:    rating FLOAT, number INTEGER
MATCH (:User)-[h:HOLDS]->(:Product)
WITH h.rating AS rating, count(*) AS number
WHERE rating IS NOT NULL
RETURN rating, number
ORDER BY rating
LIMIT 1000
