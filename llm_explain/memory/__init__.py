"""Where conversations are stored."""
