"""The application: one place where commands are hung in, and where every error ends well."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from wattproof import __version__
from wattproof.cli import auditing, keys, ledger
from wattproof.cli.host import Host
from wattproof.cli.output import fail
from wattproof.core.errors import ErrorCode, Unavailable, WattProofError
from wattproof.edge.command import APP as EDGE

__all__ = ["AddCommands", "make_app", "run"]

AddCommands = Callable[[typer.Typer, Host], None]

IO_FAILED = ErrorCode(
    Unavailable,
    "cli.io",
    en="The operating system refused: {reason}.",
    zh="操作系统拒绝了该操作：{reason}。",
)


def make_app(host: Host, rooms: Sequence[AddCommands]) -> typer.Typer:
    """The application with the frame's commands and those of the `rooms`."""
    app = typer.Typer(
        name="wattproof",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="Every watt-hour and every gram is a signed record that anyone may check."
        " / 每一瓦时、每一克都是可供任何人核验的签名记录。",
    )

    def version(asked: bool) -> None:
        if asked:
            typer.echo(__version__)
            raise typer.Exit

    @app.callback()
    def options(
        version: Annotated[
            bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")
        ] = False,
    ) -> None:
        """Options before any command."""
        assert not version, "handled by its callback"

    for add in (ledger.add_commands, auditing.add_commands, keys.add_commands, *rooms):
        add(app, host)
    app.add_typer(EDGE, name="edge")  # started alone by `wattproof edge`; listed here
    return app


def _version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


def run(app: typer.Typer, arguments: Sequence[str] | None = None) -> None:
    """Run one command line. Exit 0, 1 (the answer is no) or 2 (bad call); never a traceback."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    try:
        app(args=given)
    except WattProofError as error:
        fail(error, as_json=as_json)
    except OSError as error:
        fail(IO_FAILED(reason=str(error)), as_json=as_json)
