// Let the ready version serve a percentage of the users, null: none; runs after `version_lock` in its transaction.
// parameters: percent INTEGER
// columns:    versions INTEGER
MATCH (v:EmbeddingVersion) WHERE v.state IN ['ready', 'active']
SET v.split = $percent
RETURN count(v) AS versions
ORDER BY versions
