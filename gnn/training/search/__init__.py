"""The search for hyperparameters: short trials, then a race of heads trained in full."""
