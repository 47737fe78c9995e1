"""`python -m kinfolio.cli` is `kinfolio`."""

from kinfolio.cli.main import main

main()
