// Store the vectors of some users in the slot; see `write_back_products` for pieces, parts and without.
// parameters: pieces LIST, at_once INTEGER, width INTEGER, gids LIST, ids LIST, counted LIST, parts LIST, without MAP, writer STRING
// columns:    written INTEGER
CYPHER 25
// include: store_users
