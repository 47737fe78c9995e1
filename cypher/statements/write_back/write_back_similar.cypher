// Stores the links from some products in the slot: to which products, and how much they add to a score. All the links
// stand one after the other, `targets` and `weights` in pieces of `at_once` numbers; product i has those from starts[i] on.
// parameters: targets LIST, weights LIST, at_once INTEGER, starts LIST, gids LIST, ids LIST, writer STRING
// columns:    written INTEGER
MATCH (v:EmbeddingVersion {state: 'writing', writer: $writer})
SET v.beat = timestamp()
WITH v
UNWIND range(0, size($gids) - 1) AS row
MATCH (p:Product {gid: $gids[row]})
USING INDEX SEEK p:Product(gid)
WHERE p.id = $ids[row]
WITH p, range($starts[row], $starts[row + 1] - 1) AS places
SET p.similar_a = [place IN places | $targets[place / $at_once][place % $at_once]],
    p.similar_weight_a = [place IN places | $weights[place / $at_once][place % $at_once]]
RETURN count(p) AS written
