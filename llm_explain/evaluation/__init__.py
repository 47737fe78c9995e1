"""How faithful and how readable explanations are."""
