"""Embeddings to the graph: slots, the vector index, versions."""
