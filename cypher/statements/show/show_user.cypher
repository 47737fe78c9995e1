// Return a user's properties, the number of holdings, ties, reviews and dismissals, and a sample of each.
// parameters: id STRING, sample INTEGER
// columns:    properties MAP, counts MAP, samples MAP
MATCH (u:User {id: $id})
RETURN properties(u) AS properties, {
  holds: COUNT { MATCH (u)-[:HOLDS]->(p:Product) RETURN DISTINCT p },
  ties: COUNT { (u)-[:TIED_TO]-(:User) },
  reviews: COUNT { (u)-[:WROTE]->(:Review)-[:ABOUT]->(:Product) },
  dismissed: COUNT { MATCH (u)-[:DISMISSED]->(p:Product) RETURN DISTINCT p }
} AS counts, {
  holds: COLLECT {
    MATCH (u)-[h:HOLDS]->(p:Product)
    RETURN {product: p.id, name: p.name, rating: h.rating, at: h.at, split: h.split}
    ORDER BY coalesce(h.at, 0) DESC, p.id LIMIT $sample
  },
  ties: COLLECT {
    MATCH (u)-[t:TIED_TO]-(v:User)
    RETURN {user: v.id, name: v.name, kind: t.kind,
      direction: CASE WHEN startNode(t) = u THEN 'out' ELSE 'in' END}
    ORDER BY v.id, t.kind LIMIT $sample
  },
  reviews: COLLECT {
    MATCH (u)-[:WROTE]->(r:Review)-[:ABOUT]->(p:Product)
    RETURN {review: r.id, product: p.id, rating: r.rating, at: r.at, text: r.text}
    ORDER BY coalesce(r.at, 0) DESC, r.id LIMIT $sample
  },
  dismissed: COLLECT {
    MATCH (u)-[:DISMISSED]->(p:Product)
    RETURN {product: p.id, name: p.name} ORDER BY p.id LIMIT $sample
  }
} AS samples
