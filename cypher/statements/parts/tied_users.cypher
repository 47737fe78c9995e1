// The users `tied` to user `u` in the training split, each once.
COLLECT {
  MATCH (u)-[t:TIED_TO]-(f:User)
  WHERE coalesce(t.split, 'train') = 'train' AND f <> u
  RETURN DISTINCT f
} AS tied
