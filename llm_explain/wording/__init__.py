"""Turn evidence into sentences: authored clauses, the plan, writers."""
