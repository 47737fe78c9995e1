"""Rows to the graph."""
