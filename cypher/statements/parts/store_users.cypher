// Store the vectors of some users in the slot, in the transaction of its writer.
MATCH (v:EmbeddingVersion {state: 'writing', writer: $writer})
SET v.beat = timestamp()
WITH v
UNWIND range(0, size($pieces) - 1) AS piece
WITH piece * $at_once AS first, toFloatList($pieces[piece]) AS numbers
UNWIND range(0, size(numbers) / $width - 1) AS row
WITH first + row AS place, numbers, row * $width AS start
MATCH (u:User {gid: $gids[place]})
USING INDEX SEEK u:User(gid)
WHERE u.id = $ids[place]
SET u += $without, u.counted_a = $counted[place]
WITH u, numbers, start
CALL (u, numbers, start) {
  UNWIND $parts AS part
  CALL db.create.setNodeVectorProperty(u, part.key, numbers[start + part.start..start + part.stop])
}
RETURN count(u) AS written
