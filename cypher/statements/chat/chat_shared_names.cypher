// Return those of some names, in lower case, that several products have, or one product has and another as its id.
// parameters: names LIST<STRING>
// columns:    name STRING
MATCH (p:Product)
WITH toLower(trim(toStringOrNull(p.name))) AS name
WHERE name IN $names
WITH name, count(*) AS products
WHERE products > 1 OR EXISTS { MATCH (q:Product) WHERE toLower(q.id) = name AND toLower(trim(toStringOrNull(q.name))) <> name }
RETURN name
ORDER BY name
