"""Texts: what a product is described by, and a light sentence encoder."""
