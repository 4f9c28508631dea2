"""What can go wrong in the harness: one small tree, each error one clear line for the user."""


class SuiteError(Exception):
    """Anything that stops a command; its text says what happened and what to do next."""


class CatalogError(SuiteError):
    """A catalog file holds something that cannot be used."""


class ServerError(SuiteError):
    """A server did not start, not in time, or ended while it was in use."""


class LoadError(SuiteError):
    """The load generator did not deliver the measurement of a round."""


class CheckError(SuiteError):
    """An app that is to be checked does not answer."""
