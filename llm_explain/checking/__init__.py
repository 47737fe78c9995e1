"""Check the claims of a text by the evidence that it cites."""
