"""Graphs with other labels, types and property names."""
