"""Who asks: tokens, sessions, roles; and what is refused before an answer is computed."""
