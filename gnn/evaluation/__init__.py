"""Metrics, baselines, ablations and the report of a run."""
