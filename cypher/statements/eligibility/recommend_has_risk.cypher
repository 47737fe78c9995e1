// Return whether any product has a risk level.
// parameters: none
// columns:    has_risk BOOLEAN
RETURN EXISTS { MATCH (p:Product) WHERE p.risk IS NOT NULL } AS has_risk
ORDER BY has_risk
