"""What was shown to users and what they did with it: records, and the log in the home."""
