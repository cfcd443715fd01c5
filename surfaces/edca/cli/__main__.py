"""`python -m edca.cli`: the program where its script is not on the path."""

from edca.cli.main import main

main()
