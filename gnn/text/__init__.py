"""Texts as vectors: encoders, vectors made elsewhere, text features of users and products."""
