// Return the products that the version of the slot did not see in its training: without a vector, or with one from the
// version's recipe. `inputs` is the fingerprint of what that vector was computed from; '' is no value of a text.
// parameters: none
// columns:    id STRING, gid INTEGER, inputs STRING, countries LIST, has_risk BOOLEAN, name STRING, kind STRING, category STRING, sector STRING, text STRING
MATCH (p:Product)
WHERE (p.market_a IS NULL OR p.new_a IS NOT NULL) AND p.id IS NOT NULL
WITH p, COLLECT { MATCH (p)-[:IN_CATEGORY]->(c:Category) RETURN c.name ORDER BY c.name } AS names
RETURN toString(p.id) AS id, p.gid AS gid, p.inputs_a AS inputs, coalesce(p.countries, []) AS countries,
       p.risk IS NOT NULL AS has_risk, coalesce(toStringOrNull(p.name), '') AS name, coalesce(toStringOrNull(p.kind), '') AS kind,
       reduce(text = '', name IN names | CASE text WHEN '' THEN name ELSE text + ', ' + name END) AS category,
       coalesce(toStringOrNull(p.sector), '') AS sector, coalesce(toStringOrNull(p.text), '') AS text
ORDER BY id
