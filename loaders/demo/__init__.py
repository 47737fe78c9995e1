"""The generated community."""
