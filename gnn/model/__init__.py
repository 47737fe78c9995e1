"""One head of the fusion model: linear propagation over the graph, read by cosine."""
