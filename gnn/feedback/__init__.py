"""Events of users: written to the log and the graph, and their report."""
