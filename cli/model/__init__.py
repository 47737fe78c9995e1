"""Commands on runs and versions: export, train, evaluate, report, writeback."""
