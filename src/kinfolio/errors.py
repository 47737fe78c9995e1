"""The errors of kinfolio.

The text of a `KinfolioError` is shown to the user: the value received, the value expected, and the
next command, in one sentence. The command line prints it and exits with code 1.
"""


class KinfolioError(Exception):
    """Base of all errors that are shown to the user as one line."""


class BadInput(KinfolioError, ValueError):
    """A file, a row or an argument is invalid."""


class BadConfig(KinfolioError, ValueError):
    """An option has a value outside its range."""


class NotFound(KinfolioError, LookupError):
    """A user, a product, a version or a file does not exist."""


class NotReady(KinfolioError, RuntimeError):
    """A step was run before a step that it requires."""


class RunBroken(KinfolioError, RuntimeError):
    """A run folder or a snapshot in it is incomplete or damaged."""


class ServerError(KinfolioError, RuntimeError):
    """The database could not be started, reached or used."""


class ServerUnreachable(ServerError, ConnectionError):
    """No server answers at the address of the database."""


class WrongPassword(ServerError, PermissionError):
    """The database refused the user name or the password."""


class QueryNotFound(KinfolioError, LookupError):
    """There is no `.cypher` file of that name."""
