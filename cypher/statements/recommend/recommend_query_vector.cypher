// Return the query vectors of some users, with source and version; see the part `fold_in`.
// `counted` is the fingerprint of `gnn/fingerprints.py`: if it differs from the stored one, the user has changed since
// the export. A product belongs to the version if it has a market, which is faster to read than its vector.
// parameters: user_ids LIST
// columns:    user STRING, risk_tolerance INTEGER, country STRING, versions INTEGER, version STRING, slot STRING, heads INTEGER, dim INTEGER, products INTEGER, fetch INTEGER, markets LIST, open_share FLOAT, risk_levels LIST, length FLOAT, linked INTEGER, out INTEGER, source STRING, reach FLOAT, query LIST
UNWIND $user_ids AS user_id
MATCH (u:User {id: user_id})
WITH u,
     COUNT { MATCH (w:EmbeddingVersion) WHERE w.state <> 'writing' } AS versions,
     COLLECT {
       MATCH (u)-[h:HOLDS]->(p:Product)
       WHERE coalesce(h.split, 'train') = 'train'
       RETURN DISTINCT p
     } AS held,
     // include: tied_users
WITH *,
     // include: active_version
WITH *, [p IN held WHERE p.gid IS NOT NULL | 2 * p.gid + 1]
       + [f IN tied WHERE f.gid IS NOT NULL | 2 * f.gid + 2] AS keys
WITH *, reduce(total = 0, mix IN [key IN keys | (key % 2147483647 * 1103515245 + 12345) % 2147483647]
       | total + mix * mix % 2147483647 * mix % 2147483647) AS counted
WITH *, u['embedding_' + v.slot] IS NOT NULL AND u['counted_' + v.slot] = counted AS is_stored
// include: fold_in
RETURN u.id AS user, u.risk_tolerance AS risk_tolerance, u.country AS country,
       versions, v.name AS version, v.slot AS slot, v.heads AS heads, v.dim AS dim,
       v.products AS products, v.fetch AS fetch, v.markets AS markets,
       v.open_share AS open_share, v.risk_levels AS risk_levels, v.length AS length, v.linked AS linked,
       COUNT { (u)-[:HOLDS|DISMISSED]->(:Product) } AS out, source, reach, query
ORDER BY user
