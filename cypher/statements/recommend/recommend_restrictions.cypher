// Return whether any product has a risk level, and whether any is limited to countries.
// parameters: none
// columns:    has_risk BOOLEAN, has_countries BOOLEAN
RETURN EXISTS { MATCH (p:Product) WHERE p.risk IS NOT NULL } AS has_risk,
       EXISTS { MATCH (p:Product) WHERE size(p.countries) > 0 } AS has_countries
ORDER BY has_risk
