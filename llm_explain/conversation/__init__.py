"""Chat: intents, answers, a user's own data."""
