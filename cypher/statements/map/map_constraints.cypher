// Return constraints and indexes with their labels and properties.
// parameters: none
// columns:    kind STRING, name STRING, labels LIST<STRING>, keys LIST<STRING>
SHOW INDEXES YIELD name, labelsOrTypes, properties, owningConstraint
RETURN CASE WHEN owningConstraint IS NULL THEN 'index' ELSE 'constraint' END AS kind, name,
       coalesce(labelsOrTypes, []) AS labels, coalesce(properties, []) AS keys
ORDER BY name
