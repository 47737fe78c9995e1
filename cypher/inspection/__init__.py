"""Graphs with other names, examined: inventory, guessed mapping, check, removal."""
