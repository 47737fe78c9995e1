// Return the ids of the conversations that langchain-neo4j stores for one user, found by a prefix.
// parameters: prefix STRING
// columns:    thread STRING
MATCH (t:Thread)
WHERE t.thread_id STARTS WITH $prefix
RETURN DISTINCT t.thread_id AS thread
ORDER BY thread
