// Return one page of products in the order of their ids, in columns: row number, internal id, whether the version saw the product
// in its training, whether it came after it and has a vector, and the parts of its text, if they are asked for.
// parameters: after STRING, size INTEGER, with_texts BOOLEAN
// columns:    ids LIST, gids LIST, nodes LIST, is_listed LIST, is_new LIST, name LIST, kind LIST, category LIST, sector LIST, text LIST, categories LIST
MATCH (p:Product) WHERE p.id > $after
WITH p ORDER BY p.id LIMIT $size
WITH p, COLLECT { MATCH (p)-[:IN_CATEGORY]->(c:Category) RETURN c.name ORDER BY c.name } AS names
RETURN collect(p.id) AS ids, collect(coalesce(p.gid, -1)) AS gids, collect(id(p)) AS nodes,
       collect(p.market_a IS NOT NULL) AS is_listed, collect(p.new_a IS NOT NULL) AS is_new,
       collect(coalesce(toStringOrNull(p.name), '')) AS name,
       collect(coalesce(toStringOrNull(p.kind), '')) AS kind,
       collect(reduce(text = '', name IN names |
         CASE text WHEN '' THEN name ELSE text + ', ' + name END)) AS category,
       collect(CASE WHEN $with_texts THEN coalesce(toStringOrNull(p.sector), '') ELSE '' END) AS sector,
       collect(CASE WHEN $with_texts THEN coalesce(toStringOrNull(p.text), '') ELSE '' END) AS text,
       collect(names) AS categories
ORDER BY size(ids)
