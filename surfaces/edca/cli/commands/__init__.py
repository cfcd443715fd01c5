"""One module a command; `edca.cli.main` imports each when it is asked for."""
