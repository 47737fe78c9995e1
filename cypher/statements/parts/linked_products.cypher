// The targets of the links from products `n`, each with the sum of the weights.
WITH n.similar_a AS gids, n.similar_weight_a AS weights
UNWIND range(0, size(gids) - 1) AS place
WITH gids[place] AS gid, sum(weights[place]) AS linked
MATCH (p:Product {gid: gid})
RETURN p, null AS heads, linked
