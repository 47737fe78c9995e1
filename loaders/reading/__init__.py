"""Input files to typed, checked rows."""
