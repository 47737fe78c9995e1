// The score of product `p` in 64 bits: dot product with $query plus links.
linked + reduce(total = 0.0, d IN range(0, $width - 1) | total + e[d] * $query[d]) AS score
