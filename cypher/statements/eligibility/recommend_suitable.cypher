// Return the products that the rules closed, country and risk and custom rules allow for a risk tolerance and a country.
// parameters: risk_tolerance INTEGER, country STRING, harmless LIST
// columns:    products LIST
WITH {risk_tolerance: $risk_tolerance, country: $country} AS u
MATCH (p:Product)
WHERE
  // include: rules
RETURN collect(p.id) AS products
ORDER BY size(products)
