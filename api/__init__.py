"""The Python API: the steps of kinfolio as methods of one connection."""
