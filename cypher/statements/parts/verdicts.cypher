// One column for each built-in rule in `rules`: whether it allows product `p` for user `u`.
coalesce(p.open, true) = true AS is_open,
coalesce(p.countries IS NULL OR size(p.countries) = 0 OR u.country IN p.countries, false) AS is_sold,
coalesce(p.risk IS NULL OR p.risk <= u.risk_tolerance, false) AS is_safe,
coalesce(p.risk IS NOT NULL OR u.risk_tolerance IS NOT NULL OR $harmless IS NULL
  OR toLower(toStringOrNull(p.kind)) IN $harmless, false) AS is_rated
