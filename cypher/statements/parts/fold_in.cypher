// The query vector of user `u` and its source: the stored vector, or the sum of the messages of the products `held`, the
// users `tied` and the global mean, weighted by `reach`; each head is scaled to unit length. With $checked,
// damaged vectors do not count.
WITH *, CASE
       WHEN v IS NULL THEN 'popularity'
       WHEN is_stored THEN 'stored'
       WHEN any(p IN held WHERE p[message] IS NOT NULL) THEN 'folded_in'
       WHEN any(f IN tied WHERE f[message] IS NOT NULL) THEN 'ties'
       WHEN u[own] IS NOT NULL THEN 'text'
       WHEN EXISTS {
         MATCH (u)-[:WROTE]->(r:Review)-[:ABOUT]->(p:Product)
         WHERE coalesce(r.split, 'train') = 'train' AND p[message] IS NOT NULL
       } THEN 'text'
       ELSE 'popularity'
     END AS source,
     size(products) + coalesce(v.tie_weight, 0.0) * size(people) AS neighbours
WITH *, CASE neighbours WHEN 0.0 THEN 1.0 ELSE sqrt(neighbours) END AS reach
WITH *, CASE
       WHEN source IN ['stored', 'popularity'] THEN []
       WHEN source = 'text' AND u[own] IS NULL THEN COLLECT {
         MATCH (u)-[:WROTE]->(r:Review)-[:ABOUT]->(p:Product)
         WHERE coalesce(r.split, 'train') = 'train' AND p[message] IS NOT NULL
         WITH DISTINCT p
         RETURN p[message]
       }
       ELSE [vector IN [u[own], [x IN v.general | x * reach]] + [n IN held + tied | n[message]]
             WHERE vector IS NOT NULL]
     END AS vectors
WITH *, CASE WHEN $checked THEN [vector IN vectors WHERE size(vector) = v.heads * v.dim
       AND valueType(vector) = 'LIST<FLOAT NOT NULL> NOT NULL' AND reduce(total = 0.0, x IN vector | total + 0.0 * x) = 0.0]
     ELSE vectors END AS parts
WITH *, CASE
       WHEN source = 'stored' THEN u['embedding_' + v.slot][0..v.heads * v.dim]
       ELSE [d IN range(0, coalesce(v.heads * v.dim, 0) - 1) | reduce(total = 0.0, part IN parts | total + part[d])]
     END AS summed
WITH *, [h IN range(0, coalesce(v.heads, 0) - 1)
         | sqrt(reduce(total = 0.0, x IN summed[h * v.dim..(h + 1) * v.dim] | total + x * x))] AS norms
WITH *, [d IN range(0, coalesce(v.heads * v.dim, 0) - 1)
         | CASE norms[d / v.dim] WHEN 0.0 THEN 0.0 ELSE summed[d] / norms[d / v.dim] END] AS query
