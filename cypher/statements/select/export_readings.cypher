// Return for each time and rating of a mapping how many values can be read and how many cannot, with an example of
// those, and the latest time in milliseconds since 1970.
// parameters: holdings_at STRING, holdings_rating STRING, ties_at STRING, reviews_at STRING
// columns:    section STRING, line STRING, readable INTEGER, unreadable INTEGER, example ANY, latest INTEGER
CALL () {
  MATCH (:User)-[h:HOLDS]->(:Product)
  WITH h[$holdings_at] AS stored, h.at AS at
  RETURN 'holdings' AS section, 'at' AS line, count(at) AS readable, count(stored) - count(at) AS unreadable,
         min(CASE WHEN at IS NULL THEN stored END) AS example, max(at) AS latest
  UNION ALL
  MATCH (:User)-[h:HOLDS]->(:Product)
  WITH h[$holdings_rating] AS stored, h.rating AS rating
  RETURN 'holdings' AS section, 'rating' AS line, count(rating) AS readable,
         count(stored) - count(rating) AS unreadable,
         min(CASE WHEN rating IS NULL THEN stored END) AS example, null AS latest
  UNION ALL
  MATCH (:User)-[t:TIED_TO]->(:User)
  WITH t[$ties_at] AS stored, t.at AS at
  RETURN 'ties' AS section, 'at' AS line, count(at) AS readable, count(stored) - count(at) AS unreadable,
         min(CASE WHEN at IS NULL THEN stored END) AS example, max(at) AS latest
  UNION ALL
  MATCH (:User)-[:WROTE]->(r:Review)-[:ABOUT]->(:Product)
  WITH r[$reviews_at] AS stored, r.at AS at
  RETURN 'reviews' AS section, 'at' AS line, count(at) AS readable, count(stored) - count(at) AS unreadable,
         min(CASE WHEN at IS NULL THEN stored END) AS example, max(at) AS latest
}
RETURN section, line, readable, unreadable, example, latest
ORDER BY section, line
