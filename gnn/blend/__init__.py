"""Terms added to the heads' scores, and how their weights are chosen on the validation set."""
