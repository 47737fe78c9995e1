// What some users are compared with products by: the stored vector, or the sum of the messages of what they are
// connected to now and of what people hold in general, each head's block brought to unit length; and which version and
// source it is from. `reach` is how many times the latter counts: the root of the number of holdings and weighted
// ties, once where there are none; a market tells a product of the version without reading its vector.
// The number `counted` is the fingerprint of `gnn/fingerprints.py`: another one than at the export means the user changed.
// parameters: user_ids LIST
// columns:    user STRING, risk_tolerance INTEGER, country STRING, versions INTEGER, version STRING, slot STRING, heads INTEGER, dim INTEGER, products INTEGER, fetch INTEGER, markets LIST, open_share FLOAT, risk_levels LIST, length FLOAT, linked INTEGER, out INTEGER, source STRING, reach FLOAT, query LIST
UNWIND $user_ids AS user_id
MATCH (u:User {id: user_id})
WITH u,
     COUNT { MATCH (w:EmbeddingVersion) WHERE w.state <> 'writing' } AS versions,
     head(COLLECT {
       MATCH (w:EmbeddingVersion {state: 'active'})
       RETURN w ORDER BY w.created_at DESC LIMIT 1
     }) AS v,
     COLLECT {
       MATCH (u)-[h:HOLDS]->(p:Product)
       WHERE coalesce(h.split, 'train') = 'train'
       RETURN DISTINCT p
     } AS held,
     COLLECT {
       MATCH (u)-[t:TIED_TO]-(f:User)
       WHERE coalesce(t.split, 'train') = 'train' AND f <> u
       RETURN DISTINCT f
     } AS tied
WITH u, versions, v, held, tied,
     'embedding_' + v.slot AS embedding, 'message_' + v.slot AS message,
     'own_' + v.slot AS own, 'counted_' + v.slot AS fingerprint, 'market_' + v.slot AS market,
     [p IN held WHERE p.gid IS NOT NULL | 2 * p.gid + 1]
       + [f IN tied WHERE f.gid IS NOT NULL | 2 * f.gid + 2] AS keys
WITH *, reduce(total = 0, mix IN [key IN keys | (key % 2147483647 * 1103515245 + 12345) % 2147483647]
       | total + mix * mix % 2147483647 * mix % 2147483647) AS counted
WITH *, CASE
       WHEN v IS NULL THEN 'popularity'
       WHEN u[embedding] IS NOT NULL AND u[fingerprint] = counted THEN 'stored'
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
       WHEN source IN ['stored', 'popularity'] THEN []
       WHEN source = 'text' AND u[own] IS NULL THEN COLLECT {
         MATCH (u)-[:WROTE]->(r:Review)-[:ABOUT]->(p:Product)
         WHERE coalesce(r.split, 'train') = 'train' AND p[message] IS NOT NULL
         WITH DISTINCT p
         RETURN p[message]
       }
       ELSE [vector IN [u[own], [x IN v.general | x * reach]] + [n IN held + tied | n[message]]
             WHERE vector IS NOT NULL]
     END AS parts
WITH *, CASE
       WHEN source = 'stored' THEN u[embedding][0..v.heads * v.dim]
       ELSE [d IN range(0, coalesce(v.heads * v.dim, 0) - 1) | reduce(total = 0.0, part IN parts | total + part[d])]
     END AS added
WITH *, [h IN range(0, coalesce(v.heads, 0) - 1)
         | sqrt(reduce(total = 0.0, x IN added[h * v.dim..(h + 1) * v.dim] | total + x * x))] AS norms
RETURN u.id AS user, u.risk_tolerance AS risk_tolerance, u.country AS country,
       versions, v.name AS version, v.slot AS slot, v.heads AS heads, v.dim AS dim,
       v.products AS products, v.fetch AS fetch, v.markets AS markets,
       v.open_share AS open_share, v.risk_levels AS risk_levels, v.length AS length, v.linked AS linked,
       COUNT { (u)-[:HOLDS|DISMISSED]->(:Product) } AS out, source, reach,
       [d IN range(0, coalesce(v.heads * v.dim, 0) - 1)
        | CASE norms[d / v.dim] WHEN 0.0 THEN 0.0 ELSE added[d] / norms[d / v.dim] END] AS query
ORDER BY user
