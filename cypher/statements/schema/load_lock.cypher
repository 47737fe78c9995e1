// Lock the graph for one load at a time: the constraint on names locks this name until the end of
// the transaction, which is never committed.
// parameters: none
// columns:    none
CREATE (:Category {name: 'kinfolio load'})
