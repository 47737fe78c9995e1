"""Commands on the graph: db, load, map, show, doctor, demo."""
