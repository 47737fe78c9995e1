"""Claims of a text held against the evidence."""
