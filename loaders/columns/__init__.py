"""Raw columns to typed values: one interpretation for a whole column."""
