// Users by the time of their last change, for exports of what is new.
// parameters: none
// columns:    none
CREATE RANGE INDEX user_changed IF NOT EXISTS
FOR (n:User) ON (n.changed)
