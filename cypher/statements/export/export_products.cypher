// Return products by row number with their descriptions, in columns; '' is no value. `node` is the internal id.
// parameters: gids LIST<INTEGER>
// columns:    gid LIST<INTEGER>, node LIST<INTEGER>, id LIST<STRING>, name LIST<STRING>, kind LIST<STRING>, category LIST<STRING>, sector LIST<STRING>, text LIST<STRING>
MATCH (p:Product) WHERE p.gid IN $gids
WITH p, COLLECT { MATCH (p)-[:IN_CATEGORY]->(c:Category) RETURN c.name ORDER BY c.name } AS names
ORDER BY p.gid
RETURN collect(p.gid) AS gid,
       collect(id(p)) AS node,
       collect(toString(p.id)) AS id,
       collect(coalesce(toStringOrNull(p.name), '')) AS name,
       collect(coalesce(toStringOrNull(p.kind), '')) AS kind,
       collect(reduce(text = '', name IN names |
         CASE text WHEN '' THEN name ELSE text + ', ' + name END)) AS category,
       collect(coalesce(toStringOrNull(p.sector), '')) AS sector,
       collect(coalesce(toStringOrNull(p.text), '')) AS text
