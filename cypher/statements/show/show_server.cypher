// Return the version and edition of the server.
// parameters: none
// columns:    version STRING, edition STRING
CALL dbms.components() YIELD name, versions, edition
WITH name, versions, edition WHERE name = 'Neo4j Kernel'
RETURN versions[0] AS version, edition
