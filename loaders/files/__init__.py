"""Input files: tables, formats, raw rows and rejects."""
