// Return the ids of the conversations that langchain-neo4j stores.
// parameters: none
// columns:    thread STRING
MATCH (t:Thread)
RETURN DISTINCT t.thread_id AS thread
ORDER BY thread
