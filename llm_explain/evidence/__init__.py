"""The contributions of a score, and the paths in the graph that carry them."""
