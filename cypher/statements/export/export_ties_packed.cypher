// Return the ties that begin at a range of users as vectors, as in `export_holdings_packed`.
// parameters: first INTEGER, end INTEGER, no_time INTEGER
// columns:    source LIST<VECTOR>, target LIST<VECTOR>, split LIST<VECTOR>, at LIST<VECTOR>
CYPHER 25
MATCH (u:User)-[h:TIED_TO]->(v) WHERE $first <= u.gid < $end
WITH u, v, properties(h) AS h
WITH collect(u.gid) AS source,
     collect(id(v)) AS target,
     collect(CASE h.split WHEN 'train' THEN 0 WHEN 'valid' THEN 1 WHEN 'test' THEN 2 WHEN IS NULL THEN -1 ELSE -2 END) AS split,
     collect(coalesce(h.at, $no_time)) AS at
RETURN [i IN range(0, size(source) - 1, 4096) | vector(source[i..i + 4096], size(source[i..i + 4096]), INT64)] AS source,
       [i IN range(0, size(target) - 1, 4096) | vector(target[i..i + 4096], size(target[i..i + 4096]), INT64)] AS target,
       [i IN range(0, size(split) - 1, 4096) | vector(split[i..i + 4096], size(split[i..i + 4096]), INT8)] AS split,
       [i IN range(0, size(at) - 1, 4096) | vector(at[i..i + 4096], size(at[i..i + 4096]), INT64)] AS at
