"""Times of steps, as spans of OpenTelemetry."""
