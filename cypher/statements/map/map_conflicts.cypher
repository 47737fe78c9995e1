// Return the number of nodes and relationships with kinfolio's own label and type that it did not write.
// parameters: none
// columns:    versions INTEGER, recommended INTEGER
RETURN COUNT { (v:EmbeddingVersion) WHERE v.slot IS NULL } AS versions,
       COUNT { (:User)-[r:RECOMMENDED]->(:Product) WHERE r.version IS NULL } AS recommended
ORDER BY versions
