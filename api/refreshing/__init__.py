"""The step `refresh`: a new version of a graph that has changed, if the model is no worse."""
