// Reserve the node of a slot for a new version, unless it is active, serves a split or another writer reserved it since it was read. The
// SET of `asked` locks the node before its name is read: of two concurrent writers only one gets a row.
// parameters: into STRING, replaces STRING, replaced_writer STRING, version MAP, writer STRING
// columns:    version STRING
MERGE (v:EmbeddingVersion {slot: $into})
SET v.asked = $writer
WITH v
WHERE (v.name IS NULL OR (v.name = $replaces AND coalesce(v.writer, '') = $replaced_writer))
  AND coalesce(v.state, '') <> 'active' AND v.split IS NULL
SET v = $version, v.slot = $into, v.state = 'writing', v.writer = $writer, v.beat = timestamp()
RETURN v.name AS version
