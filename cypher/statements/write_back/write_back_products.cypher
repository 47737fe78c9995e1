// Store the vectors of some products in the slot, as 32-bit numbers. A piece holds `at_once` rows of `width` numbers;
// `parts` maps properties to ranges of a row, `without` sets properties that a row does not have to null.
// parameters: pieces LIST, at_once INTEGER, width INTEGER, gids LIST, ids LIST, markets LIST, parts LIST, without MAP, writer STRING
// columns:    written INTEGER
CYPHER 25
// include: store_products
