"""The state of a server that finishes its work before it stops."""


class Drain:
    """Shared by listener and application: whether a server leaves, and whether it turns away.

    While `draining`, new requests are answered 503. A server that only retires, because another
    takes over from it, answers them and ends their connections.
    """

    __slots__ = ("_draining", "_leaving")

    def __init__(self) -> None:
        self._draining = self._leaving = False

    @property
    def draining(self) -> bool:
        """Whether the server has been told to stop."""
        return self._draining

    @property
    def leaving(self) -> bool:
        """Whether connections end with their next answer."""
        return self._leaving

    def begin(self) -> None:
        """Take no new work from now on; there is no way back."""
        self._draining = self._leaving = True

    def retire(self) -> None:
        """Leave new connections to others from now on."""
        self._leaving = True
