"""How far the graph has moved since the training of the version that serves."""
