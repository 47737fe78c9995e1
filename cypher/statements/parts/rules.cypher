// Whether the rules closed, country and risk and custom rules allow product `p` for user `u`; null counts as false.
coalesce(p.open, true) = true
AND (p.countries IS NULL OR size(p.countries) = 0 OR u.country IN p.countries)
AND (p.risk IS NULL OR p.risk <= u.risk_tolerance)
// own rules
