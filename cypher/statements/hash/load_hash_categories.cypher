// Return the names of all categories.
// parameters: none
// columns:    name STRING
MATCH (c:Category)
RETURN c.name AS name
ORDER BY name
