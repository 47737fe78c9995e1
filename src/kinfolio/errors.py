"""Every error kinfolio raises on purpose.

The text of a `KinfolioError` is what the user sees: what came, what was expected, what to type
next, in one sentence. The command line prints it and leaves with exit code 1.
"""


class KinfolioError(Exception):
    """Base of all errors that are told to the user in one line."""


class BadInput(KinfolioError, ValueError):
    """A file, a row or an argument is not what was expected."""


class BadConfig(KinfolioError, ValueError):
    """An option has a value outside its range."""


class NotFound(KinfolioError, LookupError):
    """A user, a product, a version or a file that was named does not exist."""


class NotReady(KinfolioError, RuntimeError):
    """A step was asked for before the step it builds on."""


class RunBroken(KinfolioError, RuntimeError):
    """A run folder or a snapshot in it is half written or damaged."""


class ServerError(KinfolioError, RuntimeError):
    """The database could not be started, reached or used."""


class ServerUnreachable(ServerError, ConnectionError):
    """Nothing answers at the database's address."""


class WrongPassword(ServerError, PermissionError):
    """The database refused the user name or the password."""


class QueryNotFound(KinfolioError, LookupError):
    """There is no `.cypher` file of that name."""


class NotGrounded(KinfolioError, ValueError):
    """A text states something its evidence does not."""
