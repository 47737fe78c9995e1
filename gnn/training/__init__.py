"""The step `train`: what is tried within the budget, heads trained in full, the model file."""
