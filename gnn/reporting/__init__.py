"""The report of a run: a self-contained HTML page, a model card, TensorBoard files."""
