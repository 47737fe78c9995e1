// Return kinds and categories of products in lower case, most frequent first: the words that filters match.
// parameters: none
// columns:    word STRING, products INTEGER
MATCH (p:Product)
WHERE p.kind IS NOT NULL
WITH toLower(toStringOrNull(p.kind)) AS word, count(p) AS products
RETURN word, products
ORDER BY products DESC, word
LIMIT 500
UNION
MATCH (p:Product)-[:IN_CATEGORY]->(c:Category)
WITH toLower(toStringOrNull(c.name)) AS word, count(p) AS products
RETURN word, products
ORDER BY products DESC, word
LIMIT 500
