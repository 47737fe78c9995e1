// The products `n` with links that user `u` holds in the training split, each once.
MATCH (u)-[h:HOLDS]->(n:Product)
WHERE coalesce(h.split, 'train') = 'train' AND n.similar_a IS NOT NULL
WITH DISTINCT n
