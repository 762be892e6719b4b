"""What can be wrong with a list; operators see it, TPPs never do."""

from enrol.errors import EnrolError


class ListRefusedError(EnrolError):
    """A list is not believed; `detail` says why, for the operator."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code)
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"
