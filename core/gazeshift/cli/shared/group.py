"""The group that finds its commands, and the one place where failures become exit codes."""

from __future__ import annotations

import importlib
import logging
import os
import pkgutil
import sys
import traceback
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

import click

from gazeshift.errors import EXIT_INTERRUPTED, EXIT_SOME_FAILED, GazeShiftError

DEBUG_VARIABLE = "GAZESHIFT_DEBUG"
"""Environment variable that shows the calls behind an unexpected failure."""


class ExampleCommand(click.Command):
    """A command whose help starts with an example.

    Parameters
    ----------
    example
        One or more whole command lines.
    """

    def __init__(self, *args: Any, example: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.example = example

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the example above everything else."""
        _write_example(formatter, self.example)
        super().format_help(ctx, formatter)


class ExampleGroup(click.Group):
    """A group whose help starts with an example.

    Parameters
    ----------
    example
        One or more whole command lines.
    """

    def __init__(self, *args: Any, example: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.example = example

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the example above everything else."""
        _write_example(formatter, self.example)
        super().format_help(ctx, formatter)


class CommandGroup(ExampleGroup):
    """A group with one module per command, and the program's one handler of failures.

    Parameters
    ----------
    package
        The package whose modules are the commands.
    folder
        The package's search path.
    """

    def __init__(self, *args: Any, package: str, folder: Iterable[str], **options: Any) -> None:
        super().__init__(*args, **options)
        self.package = package
        self.folder = folder

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the modules beside the package, as commands."""
        return sorted(
            info.name.replace("_", "-")
            for info in pkgutil.iter_modules(self.folder)
            if not info.ispkg
        )

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command's module."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"{self.package}.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def main(self, args: Sequence[str] | None = None, **options: Any) -> Any:  # type: ignore[override]
        """Run a command line and leave with its exit code."""
        # Networks report trouble through `warnings`, which commands print; not twice.
        logging.getLogger("gazeshift").addHandler(logging.NullHandler())
        # Commands expand file patterns themselves, the same on every system.
        options["windows_expand_args"] = False
        if not options.pop("standalone_mode", True):
            return super().main(args, standalone_mode=False, **options)
        try:
            code = super().main(args, standalone_mode=False, **options)
            sys.stdout.flush()
        except click.ClickException as error:
            error.show()
            sys.exit(error.exit_code)
        except GazeShiftError as error:
            show_error(error)
            sys.exit(error.exit_code)
        except (KeyboardInterrupt, click.Abort):
            click.echo("Interrupted.", err=True)
            sys.exit(EXIT_INTERRUPTED)
        except BrokenPipeError:
            _leave_broken_pipe()
        except Exception as error:
            show_error(describe_unexpected(error))
            sys.exit(EXIT_SOME_FAILED)
        sys.exit(code if isinstance(code, int) else 0)


def show_error(error: GazeShiftError, *, subject: str = "") -> None:
    """Print a failure and its hint on stderr.

    Parameters
    ----------
    error
        What happened.
    subject
        The photo it happened to, where the message alone does not say.
    """
    prefix = f"{subject}: " if subject else ""
    click.echo(f"Error: {prefix}{error.message}", err=True)
    if error.hint:
        click.echo(f"Hint: {error.hint}", err=True)


def describe_unexpected(error: Exception) -> GazeShiftError:
    """Turn a failure that nobody foresaw into one for people; print its calls if asked to.

    Parameters
    ----------
    error
        The exception being handled.
    """
    if os.environ.get(DEBUG_VARIABLE):
        traceback.print_exception(error)
    return GazeShiftError(
        f"Something unexpected happened: {type(error).__name__}: {error}",
        hint=f"This is a bug in GazeShift. Set {DEBUG_VARIABLE}=1, repeat the command and report "
        "what it prints.",
    )


def _write_example(formatter: click.HelpFormatter, example: str) -> None:
    lines = example.strip().splitlines()
    formatter.write("Example:\n" if len(lines) == 1 else "Examples:\n")
    for line in lines:
        formatter.write(f"  {line.strip()}\n")
    formatter.write("\n")


def _leave_broken_pipe() -> NoReturn:
    # Whoever read our output has left; Python would complain again when it closes stdout.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(EXIT_SOME_FAILED)
