"""`python -m service.cli` is the command `authmatch`."""

from service.cli import main

main()
