"""Lists with at most some products of each kind or category."""
