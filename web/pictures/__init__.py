"""Pictures of an answer as SVG text, written from its records."""
