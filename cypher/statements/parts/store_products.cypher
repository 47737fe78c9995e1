// Store the vectors of some products in the slot, in the transaction of its writer.
MATCH (v:EmbeddingVersion {state: 'writing', writer: $writer})
SET v.beat = timestamp()
WITH v
UNWIND range(0, size($pieces) - 1) AS piece
WITH piece * $at_once AS first, toFloatList($pieces[piece]) AS numbers
UNWIND range(0, size(numbers) / $width - 1) AS row
WITH first + row AS place, numbers, row * $width AS start
MATCH (p:Product {gid: $gids[place]})
USING INDEX SEEK p:Product(gid)
WHERE p.id = $ids[place]
SET p += $without, p.market_a = $markets[place], p.similar_a = null, p.similar_weight_a = null, p.new_a = null, p.inputs_a = null
WITH p, numbers, start
CALL (p, numbers, start) {
  UNWIND $parts AS part
  CALL db.create.setNodeVectorProperty(p, part.key, numbers[start + part.start..start + part.stop])
}
RETURN count(p) AS written
