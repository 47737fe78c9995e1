// Delete the nodes of versions that do not serve and whose slot is neither a nor b; null: of any name.
// parameters: version STRING
// columns:    versions LIST
MATCH (v:EmbeddingVersion)
WHERE coalesce(v.state, '') <> 'active' AND v.name IS NOT NULL AND NOT coalesce(v.slot IN ['a', 'b'], false)
  AND ($version IS NULL OR v.name = $version)
WITH v, v.name AS name
DELETE v
RETURN collect(name) AS versions
ORDER BY versions
