"""What can go wrong with routes outside their text.

RouteError    a source can't be opened, or its schema can't be looked at; the message says which
"""


class RouteError(Exception):
    """A source of the routes can't be opened or looked at."""
