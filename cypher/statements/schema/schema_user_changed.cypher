// Index users by the time of their last change, for incremental exports.
// parameters: none
// columns:    none
CREATE RANGE INDEX user_changed IF NOT EXISTS
FOR (n:User) ON (n.changed)
