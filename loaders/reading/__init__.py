"""Raw rows to checked, staged rows."""
