"""Attribute a score to evidence: contributions, and the paths that carry them."""
