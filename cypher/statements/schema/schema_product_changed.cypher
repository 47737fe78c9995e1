// Index products by the time of their last change, for incremental exports.
// parameters: none
// columns:    none
CREATE RANGE INDEX product_changed IF NOT EXISTS
FOR (n:Product) ON (n.changed)
