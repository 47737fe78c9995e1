// Return a product's properties, the number of its holders, reviews and categories, and a sample of each; no users.
// parameters: id STRING, sample INTEGER
// columns:    properties MAP, counts MAP, samples MAP
MATCH (p:Product {id: $id})
RETURN properties(p) AS properties, {
  holders: COUNT { MATCH (u:User)-[:HOLDS]->(p) RETURN DISTINCT u },
  reviews: COUNT { (:User)-[:WROTE]->(:Review)-[:ABOUT]->(p) },
  categories: COUNT { (p)-[:IN_CATEGORY]->(:Category) },
  dismissals: COUNT { MATCH (u:User)-[:DISMISSED]->(p) RETURN DISTINCT u }
} AS counts, {
  categories: COLLECT {
    MATCH (p)-[:IN_CATEGORY]->(c:Category)
    RETURN {category: c.name} ORDER BY c.name LIMIT $sample
  },
  reviews: COLLECT {
    MATCH (:User)-[:WROTE]->(r:Review)-[:ABOUT]->(p)
    RETURN {review: r.id, rating: r.rating, at: r.at, text: r.text}
    ORDER BY coalesce(r.at, 0) DESC, r.id LIMIT $sample
  }
} AS samples
