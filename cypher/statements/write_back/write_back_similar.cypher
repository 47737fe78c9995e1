// Store the links from some products in the slot: target products and weights. All links are concatenated, `targets`
// and `weights` in pieces of `at_once` numbers; those of product i begin at starts[i].
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
