"""Vectors of products that came after the training, without training."""
