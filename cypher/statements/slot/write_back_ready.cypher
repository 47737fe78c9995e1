// Mark the version of a filled and checked slot as ready; no row if another writer has the slot.
// parameters: writer STRING, users INTEGER, products INTEGER, recall FLOAT, fetch INTEGER, markets LIST, open_share FLOAT, risk_levels LIST, length FLOAT, linked INTEGER
// columns:    version STRING
MATCH (v:EmbeddingVersion {state: 'writing', writer: $writer})
SET v.state = 'ready', v.users = $users, v.products = $products, v.index_recall = $recall,
    v.fetch = $fetch, v.markets = $markets, v.open_share = $open_share, v.risk_levels = $risk_levels,
    v.length = $length, v.linked = $linked
REMOVE v.writer, v.beat, v.host, v.pid, v.process_start, v.asked
RETURN v.name AS version
