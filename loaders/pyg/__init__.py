"""Snapshots as PyTorch Geometric data, stores and samplers."""
