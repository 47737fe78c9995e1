// Give each review whose id is not in normal form that form, unless another one has it: rows of the
// normal form and a list of other forms. Return the forms that remain.
// parameters: rows LIST<LIST>
// columns:    normal STRING, id STRING
UNWIND $rows AS row
MATCH (n:Review) WHERE n.id IN row[1]
WITH row, n ORDER BY n.id
WITH row, collect(n) AS found, EXISTS { MATCH (other:Review) WHERE other.id = row[0] } AS is_taken
WITH row, found, CASE WHEN is_taken THEN 0 ELSE 1 END AS renamed
FOREACH (n IN found[..renamed] | SET n.id = row[0])
WITH row, found[renamed..] AS remaining
UNWIND remaining AS n
RETURN row[0] AS normal, n.id AS id
ORDER BY id
