// How many holders, reviews and categories a product has, and a few of each; no people.
// parameters: id STRING, sample INTEGER
// columns:    counts MAP, samples MAP
MATCH (p:Product {id: $id})
RETURN {
  holders: COUNT { (:User)-[:HOLDS]->(p) },
  reviews: COUNT { (:Review)-[:ABOUT]->(p) },
  categories: COUNT { (p)-[:IN_CATEGORY]->(:Category) },
  dismissals: COUNT { (:User)-[:DISMISSED]->(p) }
} AS counts, {
  categories: COLLECT {
    MATCH (p)-[:IN_CATEGORY]->(c:Category)
    RETURN {category: c.name} ORDER BY c.name LIMIT $sample
  },
  reviews: COLLECT {
    MATCH (r:Review)-[:ABOUT]->(p)
    RETURN {review: r.id, rating: r.rating, at: r.at, text: r.text}
    ORDER BY coalesce(r.at, 0) DESC, r.id LIMIT $sample
  }
} AS samples
