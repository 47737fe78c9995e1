// Return the query vectors of some users, with source and version; see the part `fold_in`.
// `counted` is the fingerprint of `gnn/fingerprints.py`: if it differs from the stored one, the user has changed since
// the export. `checked`: damaged vectors do not count. `only`: a version to read instead of the active one.
// Each user comes with a place in a split, 0 to 99.
// parameters: users LIST<LIST>, only STRING, checked BOOLEAN
// columns:    user STRING, risk_tolerance INTEGER, country STRING, versions INTEGER, version STRING, state STRING, slot STRING, heads INTEGER, dim INTEGER, products INTEGER, fetch INTEGER, markets LIST, open_share FLOAT, risk_levels LIST, length FLOAT, linked INTEGER, cut INTEGER, has_risk BOOLEAN, general_width INTEGER, split INTEGER, out INTEGER, source STRING, reach FLOAT, query LIST
UNWIND $users AS row
WITH row[0] AS user_id, row[1] AS place
MATCH (u:User {id: user_id})
WITH u, place,
     COUNT { MATCH (w:EmbeddingVersion) WHERE w.state <> 'writing' } AS versions,
     // include: active_version
WITH *,
     COLLECT {
       MATCH (u)-[h:HOLDS]->(p:Product)
       WHERE coalesce(h.split, 'train') = 'train'
       RETURN DISTINCT p
     } AS held,
     // include: neighbours
WITH *, [p IN products | 2 * p.gid + 1] + [f IN people | 2 * f.gid + 2] AS keys
WITH *, reduce(total = 0, mix IN [key IN keys | (key % 2147483647 * 1103515245 + 12345) % 2147483647]
       | total + mix * mix % 2147483647 * mix % 2147483647) AS counted
WITH *, u['embedding_' + v.slot] IS NOT NULL AND u[fingerprint] = counted AND (NOT $checked
       OR any(vector IN [u['embedding_' + v.slot]] WHERE size(vector) = v.heads * v.dim + 2 AND
         valueType(vector) = 'LIST<FLOAT NOT NULL> NOT NULL' AND reduce(total = 0.0, x IN vector | total + 0.0 * x) = 0.0
     )) AS is_stored
// include: fold_in
RETURN u.id AS user, u.risk_tolerance AS risk_tolerance, u.country AS country,
       versions, v.name AS version, v.state AS state, v.slot AS slot, v.heads AS heads, v.dim AS dim,
       v.products AS products, v.fetch AS fetch, v.markets AS markets,
       v.open_share AS open_share, v.risk_levels AS risk_levels, v.length AS length, v.linked AS linked,
       v.cut AS cut, v.has_risk AS has_risk, size(v.general) AS general_width, v.split AS split,
       COUNT { (u)-[:HOLDS|DISMISSED]->(:Product) } AS out, source, reach, query
ORDER BY user
