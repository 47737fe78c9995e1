// Conversations that langchain-neo4j keeps in the graph, of one user: those whose ids begin with a text.
// parameters: prefix STRING
// columns:    thread STRING
MATCH (t:Thread)
WHERE t.thread_id STARTS WITH $prefix
RETURN DISTINCT t.thread_id AS thread
ORDER BY thread
