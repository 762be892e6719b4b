"""``enrol dialect``: lists the dialects, and shows one to copy."""

from typing import Annotated

import typer

from enrol.adapters.dialects import dialect_names, load_dialect, read_dialect

app = typer.Typer(no_args_is_help=True, help="What differs between banks, as files to copy.")


@app.command("list")
def list_dialects() -> None:
    """List the dialects that come with Enrol."""
    names = dialect_names()
    width = max(map(len, names))
    for name in names:
        typer.echo(f"{name:<{width}}  {load_dialect(name).title}")


@app.command("show")
def show_dialect(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A name of the list, or a file, which is checked.")
    ],
) -> None:
    """Print a dialect's TOML, after a check; redirect it into a file, change it, and use that."""
    load_dialect(name)
    typer.echo(read_dialect(name), nl=False)
