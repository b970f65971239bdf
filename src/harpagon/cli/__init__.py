"""The command line: one module per command, listed in `COMMANDS`.

To add a command, write ``commands/<command>.py`` (``import_.py`` where the name is a word of Python's) with
``def register(app: typer.Typer) -> None``, which adds it to the application under its own name, and append that name
to `COMMANDS`. The help imports every command's module:
import nothing but typer and light modules at their top, and everything else inside the command's function.

A command prints its answer on standard output (with ``--json`` one JSON document and nothing else) and progress and
messages on standard error, by the helpers of `harpagon.cli.console`. It ends with one of the codes of
`harpagon.cli.exits.ExitCode`; bad input and unsupported requests are exceptions, which `main` turns into one message
and the right code.
"""

from __future__ import annotations

import atexit
import gc
import signal
import sys
import threading
from contextlib import contextmanager
from importlib import import_module
from keyword import iskeyword
from typing import TYPE_CHECKING, Annotated

import typer

from harpagon.cli.console import ReaderLeftError, complain, discard_output, prepare_output, warnings_shown
from harpagon.cli.exits import ExitCode
from harpagon.cli.help import lay_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COMMANDS = (
    "gap",
    "plan",
    "check",
    "explain",
    "curve",
    "export",
    "methods",
    "instances",
    "sponge",
    "profile",
    "simulate",
    "headroom",
    "import",
    "deploy",
    "run",
    "slopt",
)

_GARBAGE_THRESHOLD = 100_000
"""Objects made before the collector looks at the youngest; Python's own 700 suits programs that keep little."""

_HELP = """Plan how to serve a pipeline of DNN models for the least money under a latency objective.

Which GPU type, which batch size and how many machines each model gets, so that every request meets the pipeline's
latency objective (SLO): exact methods with a proof, and published heuristics to compare with it.

[bold]First steps[/bold]

  harpagon plan worked-example      one shipped instance, its cheapest plan and the proof

  harpagon gap                      how far a heuristic is from the optimum, on a shipped suite

[bold]Units[/bold]  milliseconds, requests per second (req/s), dollars per hour ($/h)

[bold]Exit codes[/bold]  0 done; 1 no plan (infeasible, or a limit was hit without one); 2 bad input or usage;
3 a plan failed the check; 4 the machine failed (disk, worker, cluster); 130 interrupted
"""


def application(command: str | None = None) -> typer.Typer:
    """The application with one command of `COMMANDS`, or with all where ``command`` is none of them.

    Only modules of commands in the application are imported, so that no command waits for the others.
    """
    app = typer.Typer(
        help=_HELP,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for name in (command,) if command in COMMANDS else COMMANDS:
        module = f"{name}_" if iskeyword(name) else name
        import_module(f"harpagon.cli.commands.{module}").register(app)
    lay_out(app)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code, see `ExitCode`.

    Parameters
    ----------
    arguments
        What follows the program's name; None for the arguments of this process.
    """
    # Start-up makes tens of thousands of objects that stay: looking for garbage among them takes a tenth of its time.
    gc.set_threshold(_GARBAGE_THRESHOLD)
    # So does freeing them one by one when the process ends: a quarter of the time of a small plan.
    atexit.register(gc.freeze)
    with _sigterm_interrupts(), warnings_shown():
        return _run_to_the_end(arguments)


@contextmanager
def _sigterm_interrupts() -> Iterator[None]:
    """Stop on SIGTERM as on Ctrl-C: finished work is kept, workers end. In a background job Ctrl-C stays ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _run_to_the_end(arguments: Sequence[str] | None) -> int:
    if not prepare_output():
        complain("standard output is closed: give it a place to go")
        return ExitCode.MACHINE_FAILED
    code: int = ExitCode.DONE
    try:
        code = _run(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
    except (ReaderLeftError, BrokenPipeError):
        discard_output()
    except OSError as error:
        discard_output()
        if code != ExitCode.MACHINE_FAILED:  # else the same was said already
            complain(f"standard output cannot be written ({error.strerror})")
        return ExitCode.MACHINE_FAILED
    return code


def _run(arguments: Sequence[str]) -> int:
    try:
        code = application(next(iter(arguments), None))(args=arguments, prog_name="harpagon", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        complain("interrupted")
        return ExitCode.INTERRUPTED
    except Exception as error:
        known = _known(error)
        if known is None:
            raise
        if known[1]:  # no command: the help that was printed says it all
            complain(known[1])
        return known[0]
    return ExitCode(code or 0)


def _known(error: Exception) -> tuple[ExitCode, str] | None:
    """Exit code and message of an exception that has a place in the contract, None for a defect."""
    from harpagon.instances.errors import InputError, MachineError
    from harpagon.solvers.capabilities import UnsupportedError
    from harpagon.solvers.errors import CheckFailedError, MethodFailedError

    if isinstance(error, typer.TyperException):
        return ExitCode.USAGE, error.format_message().replace("Value error, ", "")
    if isinstance(error, (InputError, UnsupportedError, MethodFailedError)):
        return ExitCode.USAGE, str(error)
    if isinstance(error, CheckFailedError):
        return ExitCode.CHECK_FAILED, f"internal error: {error}"
    if isinstance(error, MachineError):
        return ExitCode.MACHINE_FAILED, str(error)
    if isinstance(error, MemoryError):
        return ExitCode.MACHINE_FAILED, "there is not enough memory"
    if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
        return (
            ExitCode.MACHINE_FAILED,
            f"{error.filename or 'standard output'} cannot be used ({error.strerror or error})",
        )
    return None


def _print_version(wanted: bool) -> None:
    if wanted:
        from harpagon import __version__

        typer.echo(f"harpagon {__version__}")
        raise typer.Exit(ExitCode.DONE)


def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Hold the options that stand before a command."""
