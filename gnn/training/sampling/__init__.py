"""What each training step sees: positives, negatives, cold nodes, dropped edges."""
