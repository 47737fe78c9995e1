// One column for each built-in rule in `rules`: whether it allows product `p` for user `u`.
coalesce(p.open, true) = true AS is_open,
coalesce(p.countries IS NULL OR size(p.countries) = 0 OR u.country IN p.countries, false) AS is_sold,
coalesce(p.risk IS NULL OR p.risk <= u.risk_tolerance, false) AS is_safe
