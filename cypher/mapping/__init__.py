"""Statements in the names of a graph with other labels, types and properties."""
