"""What the exit codes of the command line mean."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every command."""

    DONE = 0
    """The command did what was asked."""
    NO_PLAN = 1
    """There is no plan, or a limit was hit before one was found."""
    USAGE = 2
    """Bad input or usage: one message on standard error."""
    CHECK_FAILED = 3
    """A plan failed the independent check, or a simulated one missed what it claims."""
    MACHINE_FAILED = 4
    """The disk, a worker or a cluster failed: one message on standard error; finished results are kept."""
    INTERRUPTED = 130
    """Stopped by Ctrl-C or SIGTERM; finished results are kept."""
