"""Metrics of a run, its baselines and ablations."""
