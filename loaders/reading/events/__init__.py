"""Events of users: which can be used, and what they make of a pair."""
