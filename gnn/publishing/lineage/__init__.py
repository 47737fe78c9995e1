"""Approval of versions, and where a version comes from."""
