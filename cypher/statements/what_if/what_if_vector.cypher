// What a user would be compared with products by, if some holdings were not there and others were: made as
// `recommend_query_vector` folds in. `added` gives those that would be new.
// parameters: user_id STRING, without LIST, added LIST
// columns:    user STRING, version STRING, slot STRING, heads INTEGER, dim INTEGER, length FLOAT, source STRING, added LIST, query LIST
MATCH (u:User {id: $user_id})
WITH u,
     head(COLLECT {
       MATCH (w:EmbeddingVersion {state: 'active'})
       RETURN w ORDER BY w.created_at DESC LIMIT 1
     }) AS v,
     COLLECT {
       MATCH (u)-[h:HOLDS]->(p:Product)
       WHERE coalesce(h.split, 'train') = 'train' AND NOT p.id IN $without
       RETURN DISTINCT p
     } AS kept,
     COLLECT {
       MATCH (n:Product)
       WHERE n.id IN $added AND NOT EXISTS {
         MATCH (u)-[g:HOLDS]->(n) WHERE coalesce(g.split, 'train') = 'train'
       }
       RETURN n
     } AS fresh,
     COLLECT {
       MATCH (u)-[t:TIED_TO]-(f:User)
       WHERE coalesce(t.split, 'train') = 'train' AND f <> u
       RETURN DISTINCT f
     } AS tied
WITH u, v, kept + fresh AS held, fresh, tied, 'message_' + v.slot AS message, 'own_' + v.slot AS own,
     'market_' + v.slot AS market, 'counted_' + v.slot AS fingerprint
WITH *, CASE
       WHEN v IS NULL THEN 'popularity'
       WHEN any(p IN held WHERE p[message] IS NOT NULL) THEN 'folded_in'
       WHEN any(f IN tied WHERE f[message] IS NOT NULL) THEN 'ties'
       WHEN u[own] IS NOT NULL THEN 'text'
       WHEN EXISTS {
         MATCH (u)-[:WROTE]->(r:Review)-[:ABOUT]->(p:Product)
         WHERE coalesce(r.split, 'train') = 'train' AND p[message] IS NOT NULL
       } THEN 'text'
       ELSE 'popularity'
     END AS source,
     size([p IN held WHERE p[market] IS NOT NULL])
       + coalesce(v.tie_weight, 0.0) * size([f IN tied WHERE f[fingerprint] IS NOT NULL]) AS neighbours
WITH *, CASE neighbours WHEN 0.0 THEN 1.0 ELSE sqrt(neighbours) END AS reach
WITH *, CASE
       WHEN source = 'popularity' THEN []
       WHEN source = 'text' AND u[own] IS NULL THEN COLLECT {
         MATCH (u)-[:WROTE]->(r:Review)-[:ABOUT]->(p:Product)
         WHERE coalesce(r.split, 'train') = 'train' AND p[message] IS NOT NULL
         WITH DISTINCT p
         RETURN p[message]
       }
       ELSE [vector IN [u[own], [x IN v.general | x * reach]] + [n IN held + tied | n[message]]
             WHERE vector IS NOT NULL]
     END AS parts
WITH *, [d IN range(0, coalesce(v.heads * v.dim, 0) - 1)
         | reduce(total = 0.0, part IN parts | total + part[d])] AS summed
WITH *, [h IN range(0, coalesce(v.heads, 0) - 1)
         | sqrt(reduce(total = 0.0, x IN summed[h * v.dim..(h + 1) * v.dim] | total + x * x))] AS norms
RETURN u.id AS user, v.name AS version, v.slot AS slot, v.heads AS heads, v.dim AS dim, v.length AS length, source,
       [n IN fresh | n.id] AS added,
       [d IN range(0, coalesce(v.heads * v.dim, 0) - 1)
        | CASE norms[d / v.dim] WHEN 0.0 THEN 0.0 ELSE summed[d] / norms[d / v.dim] END] AS query
ORDER BY user
