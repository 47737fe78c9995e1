"""The HTTP front: pages for people, an API for programs. Only `cli/serve.py` imports it."""
