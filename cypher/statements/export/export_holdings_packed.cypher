// Return the holdings of a range of users as vectors, which are sent as plain bytes, of up to 4,096 numbers each.
// `target` is the internal id of the product, so that the product is not read. Split -1 is none, -2 is invalid.
// Reading all properties at once is faster than one by one.
// parameters: first INTEGER, end INTEGER, no_time INTEGER, no_rating FLOAT
// columns:    source LIST<VECTOR>, target LIST<VECTOR>, split LIST<VECTOR>, at LIST<VECTOR>, rating LIST<VECTOR>
CYPHER 25
MATCH (u:User)-[h:HOLDS]->(p) WHERE $first <= u.gid < $end
WITH u, p, properties(h) AS h
WITH collect(u.gid) AS source,
     collect(id(p)) AS target,
     collect(CASE h.split WHEN 'train' THEN 0 WHEN 'valid' THEN 1 WHEN 'test' THEN 2 WHEN IS NULL THEN -1 ELSE -2 END) AS split,
     collect(coalesce(h.at, $no_time)) AS at,
     collect(coalesce(h.rating, $no_rating)) AS rating
RETURN [i IN range(0, size(source) - 1, 4096) | vector(source[i..i + 4096], size(source[i..i + 4096]), INT64)] AS source,
       [i IN range(0, size(target) - 1, 4096) | vector(target[i..i + 4096], size(target[i..i + 4096]), INT64)] AS target,
       [i IN range(0, size(split) - 1, 4096) | vector(split[i..i + 4096], size(split[i..i + 4096]), INT8)] AS split,
       [i IN range(0, size(at) - 1, 4096) | vector(at[i..i + 4096], size(at[i..i + 4096]), INT64)] AS at,
       [i IN range(0, size(rating) - 1, 4096) | vector(rating[i..i + 4096], size(rating[i..i + 4096]), FLOAT32)] AS rating
