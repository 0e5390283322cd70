"""What can go wrong in a store itself, apart from what a caller asked for not being there.

    Internal
    └── StoreError
        ├── StoreClosed     a call after `close`
        ├── AlreadyKept     an id that is in use
        ├── NewerDatabase   written by a version of turnwise that this one does not know
        ├── OlderDatabase   without tables that this version needs
        ├── DatabaseUnavailable  the server that has the database cannot be reached, or did not do what it was asked
        │   └── DatabaseRefused  it will not, however often it is asked
        └── BlobsUnavailable  the object store that has the bytes of files did not do what it was asked

To a client each of them is an internal error; the message is for whoever runs the server.
"""

from turnwise.domain.errors import Internal


class StoreError(Internal):
    """The root."""


class StoreClosed(StoreError):
    """The store was closed, and can neither keep nor find anything."""

    def __init__(self) -> None:
        super().__init__("The store is closed.")


class AlreadyKept(StoreError):
    """Something with this id is kept already, and stays as it is."""

    def __init__(self, id: str) -> None:
        super().__init__(f"The id '{id}' is in use.")


class NewerDatabase(StoreError):
    """A newer turnwise wrote this database. Opening it could lose what this version does not know."""

    def __init__(self, revision: str, head: str) -> None:
        super().__init__(
            f"The database was written by a newer turnwise: it is at revision '{revision}', and this version "
            f"knows those up to '{head}'. Install the newer version, or use another database."
        )


class OlderDatabase(StoreError):
    """A database that others use too is not up to date, and nobody asked us to change that."""

    def __init__(self, revision: str | None, head: str) -> None:
        state = "has no tables yet" if revision is None else f"is at revision '{revision}' and not at '{head}'"
        super().__init__(f"The database {state}. Run `turnwise migrate`.")


class DatabaseUnavailable(StoreError):
    """The server that has the database cannot be reached, or did not do what it was asked."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The database failed: {reason}")


class DatabaseRefused(DatabaseUnavailable):
    """The server does not let us in, or the database is not one that we can use."""


class BlobsUnavailable(StoreError):
    """The object store that has the bytes of files cannot be reached, or refuses what it is asked."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The store of blobs failed: {reason}")
