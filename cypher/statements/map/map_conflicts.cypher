// Return what the graph has under names that kinfolio uses itself: nodes of its label and lists that it did not write.
// parameters: none
// columns:    versions INTEGER, recommended INTEGER
RETURN COUNT { (v:EmbeddingVersion) WHERE v.slot IS NULL } AS versions,
       COUNT { (:User)-[r:RECOMMENDED]->(:Product) WHERE r.version IS NULL } AS recommended
ORDER BY versions
