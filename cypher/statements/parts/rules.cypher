// Whether the rules closed, country, risk and unrated and custom rules allow product `p` for user `u`; null counts as
// false. $harmless: kinds that need no risk rating; null if no product has one.
coalesce(p.open, true) = true
AND (p.countries IS NULL OR size(p.countries) = 0 OR u.country IN p.countries)
AND (p.risk IS NULL OR p.risk <= u.risk_tolerance)
AND (p.risk IS NOT NULL OR u.risk_tolerance IS NOT NULL OR $harmless IS NULL OR toLower(toStringOrNull(p.kind)) IN $harmless)
// own rules
