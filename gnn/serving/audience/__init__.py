"""The users who are most likely to want a product."""
