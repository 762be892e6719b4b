"""The state of a server that finishes its work before it stops."""


class Drain:
    """Shared by listener and application: while `draining`, new requests are answered 503."""

    __slots__ = ("_draining",)

    def __init__(self) -> None:
        self._draining = False

    @property
    def draining(self) -> bool:
        """Whether the server has been told to stop."""
        return self._draining

    def begin(self) -> None:
        """Take no new work from now on; there is no way back."""
        self._draining = True
