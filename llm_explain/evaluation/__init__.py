"""Measure how faithful and how readable explanations are."""
