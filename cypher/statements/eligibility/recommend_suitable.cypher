// The products that the rules closed, country and risk leave to people of one risk tolerance and country.
// parameters: risk_tolerance INTEGER, country STRING
// columns:    products LIST
MATCH (p:Product)
WHERE coalesce(p.open, true) = true
  AND (p.countries IS NULL OR size(p.countries) = 0 OR $country IN p.countries)
  AND (p.risk IS NULL OR p.risk <= $risk_tolerance)
  // own rules
RETURN collect(p.id) AS products
ORDER BY size(products)
