// The users `tied` to user `u` in the training split, each once, without ties dated after the training's cut if the version
// knows the user; names of the slot's properties; and the neighbours that the version knows: `products` of `held` and
// `people` of `tied`. A product of the version has a market, which is faster to read than its vector.
COLLECT {
  MATCH (u)-[t:TIED_TO]-(f:User)
  WHERE coalesce(t.split, 'train') = 'train' AND f <> u
    AND (v.cut IS NULL OR t.at IS NULL OR t.at <= v.cut OR u['counted_' + v.slot] IS NULL)
  RETURN DISTINCT f
} AS tied
WITH *, 'message_' + v.slot AS message, 'own_' + v.slot AS own, 'market_' + v.slot AS market,
     'counted_' + v.slot AS fingerprint
WITH *, [p IN held WHERE p[market] IS NOT NULL] AS products, [f IN tied WHERE f[fingerprint] IS NOT NULL] AS people
