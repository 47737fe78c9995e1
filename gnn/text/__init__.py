"""Texts as vectors: encoder, external vectors, features of users and products."""
