"""Commands that answer about users and products."""
