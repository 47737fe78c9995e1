"""Recommendations from the graph, and which products the rules exclude."""
