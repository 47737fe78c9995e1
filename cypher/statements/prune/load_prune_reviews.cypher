// Return one page of reviews in the order of their ids.
// parameters: after STRING, at_once INTEGER
// columns:    ids LIST<STRING>
MATCH (r:Review) WHERE r.id > $after
WITH r ORDER BY r.id LIMIT $at_once
RETURN collect(r.id) AS ids
