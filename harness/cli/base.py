"""What every command shares: the program, the way errors are told, where results lie."""

from __future__ import annotations

import signal
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from harness.record import UserError

app = typer.Typer(
    name="peftbench",
    help="Benchmarks of parameter-efficient fine-tuning: runs, records, leaderboards, figures.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
Results = Annotated[Path, typer.Option("--results", help="Folder of records.")]


def plain_errors(command: Callable[..., None]) -> Callable[..., None]:
    """What the user can mend is one sentence and exit code 2."""

    @wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except UserError as error:
            from harness.terminal import clean

            typer.echo(f"Error: {clean(str(error))}", err=True)
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            # The next one finds nothing left to put in order.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            typer.echo("Stopped. Finished runs are kept; the same command goes on from there.", err=True)
            raise typer.Exit(130) from None
        except BrokenPipeError:
            raise typer.Exit(0) from None

    return guarded


def console() -> Any:
    from harness.terminal import PlainConsole

    return PlainConsole(highlight=False)
