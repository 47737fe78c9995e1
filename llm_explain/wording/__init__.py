"""From evidence to sentences: the plan, authored clauses, writers."""
