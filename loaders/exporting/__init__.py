"""The graph to a snapshot."""
