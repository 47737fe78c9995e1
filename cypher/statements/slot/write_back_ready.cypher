// Mark the version of a filled and checked slot as ready; no row if another writer has the slot.
// parameters: writer STRING
// columns:    version STRING
MATCH (v:EmbeddingVersion {state: 'writing', writer: $writer})
SET v.state = 'ready'
REMOVE v.writer, v.beat, v.host, v.pid, v.process_start, v.asked
RETURN v.name AS version
