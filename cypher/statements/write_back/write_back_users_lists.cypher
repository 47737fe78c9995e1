// Store the same as `write_back_users`, for servers without vector parameters: pieces are lists of numbers.
// parameters: pieces LIST, at_once INTEGER, width INTEGER, gids LIST, ids LIST, counted LIST, parts LIST, without MAP, writer STRING
// columns:    written INTEGER
// include: store_users
