"""Working through photos one by one: results on stdout, everything else on stderr."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gazeshift.cli.shared.group import describe_unexpected, show_error
from gazeshift.cli.shared.jobs import STANDARD_STREAM, Job
from gazeshift.errors import EXIT_SOME_FAILED, GazeShiftError, ImageError, ModelError

if TYPE_CHECKING:
    from gazeshift.cli.outputs.kinds import Result
    from gazeshift.photo import Photo
    from gazeshift.photo.streams import PhotoStream

LARGEST_IN_MEMORY = 600_000_000
"""Bytes that pixels, result and mask may take; larger photos are worked on in bands of rows."""

Answer = tuple[dict[str, Any], str]
"""What a photo's work gives: the JSON object, and the lines for people."""


class Reporter:
    """Prints results, warnings and progress where they belong.

    Parameters
    ----------
    as_json
        Print one JSON object per photo instead of sentences.
    results_to_stderr
        Print sentences on stderr, because stdout carries a picture.
    """

    def __init__(self, *, as_json: bool, results_to_stderr: bool = False) -> None:
        self.as_json = as_json
        self.results_to_stderr = results_to_stderr
        self.bar: Any = None
        self._warned: set[str] = set()

    def run(self, jobs: Sequence[Job], work: Callable[[Job], Answer]) -> int:
        """Work through all photos; a failing one does not stop the rest.

        Parameters
        ----------
        jobs
            What to do.
        work
            Called per photo.

        Returns
        -------
        int
            The exit code: of the failure if there is one photo, else 1 if some failed.

        Raises
        ------
        ModelError
            At once, because it would hit every photo.
        """
        is_batch = len(jobs) > 1
        failed = 0
        self._open_bar(len(jobs))
        try:
            for job in jobs:
                try:
                    data, text = work(job)
                except (ModelError, BrokenPipeError):
                    raise
                except MemoryError:
                    error: GazeShiftError = ImageError(
                        "There is not enough memory for this photo.", hint="Make it smaller."
                    )
                except UnicodeError:
                    error = ImageError(
                        "The name of a file is not valid text.", hint="Rename the file."
                    )
                except GazeShiftError as caught:
                    error = caught
                except OSError as caught:
                    error = ImageError(f"A file cannot be used: {caught}.")
                except Exception as caught:  # in a batch, a bug in one photo must not stop the rest
                    if not is_batch:
                        raise
                    error = describe_unexpected(caught)
                else:
                    self._result(data, text)
                    continue
                failed += 1
                self._failure(job, error, is_batch=is_batch)
                if not is_batch:
                    return error.exit_code
        finally:
            if self.bar is not None:
                self.bar.close()
                self.bar = None
        return EXIT_SOME_FAILED if failed else 0

    def warn(self, messages: Sequence[str], *, subject: str = "") -> None:
        """Print warnings on stderr, each once."""
        for message in messages:
            line = f"Warning: {subject}: {message}" if subject else f"Warning: {message}"
            if line not in self._warned:
                self._warned.add(line)
                self._echo(line, err=True)

    @contextlib.contextmanager
    def progress(self, name: str) -> Iterator[Callable[[float], None]]:
        """Show how far the work on one large photo is, where there is a terminal.

        Yields
        ------
        Callable
            Takes the finished part, 0-1.
        """
        if not sys.stderr.isatty():
            yield lambda part: None
            return
        from tqdm import tqdm

        line = 0 if self.bar is None else 1
        with tqdm(
            total=100, desc=name, unit="%", file=sys.stderr, leave=False, position=line
        ) as bar:

            def show(part: float) -> None:
                bar.update(max(0, int(100 * part) - bar.n))

            yield show

    def _result(self, data: dict[str, Any], text: str) -> None:
        if self.as_json:
            self._echo(json.dumps(data, allow_nan=False), err=False)
        else:
            self._echo(text, err=self.results_to_stderr)
        self._step()

    def _failure(self, job: Job, error: GazeShiftError, *, is_batch: bool) -> None:
        if self.as_json:
            problem = {"code": error.code, "message": error.message, "hint": error.hint}
            self._echo(json.dumps({"photo": job.photo, "error": problem}), err=False)
        self._clear()
        show_error(error, subject=job.name if is_batch else "")
        self._step()

    def _open_bar(self, total: int) -> None:
        if total > 1 and sys.stderr.isatty():
            from tqdm import tqdm

            self.bar = tqdm(total=total, unit="photo", file=sys.stderr, leave=False)

    def _echo(self, line: str, *, err: bool) -> None:
        self._clear()
        click.echo(line, err=err)

    def _clear(self) -> None:
        if self.bar is not None:
            self.bar.clear()

    def _step(self) -> None:
        if self.bar is not None:
            self.bar.update()


def load_photo(job: Job) -> Photo:
    """Read a job's photo from its file or from standard input.

    Raises
    ------
    ImageError
        If it cannot be read or used.
    """
    from gazeshift.photo import read_photo, read_photo_bytes

    if job.photo != STANDARD_STREAM:
        return read_photo(Path(job.photo))
    data = sys.stdin.buffer.read()
    if not data:
        raise ImageError("Standard input is empty.", hint="Pipe a photo into the command.")
    return read_photo_bytes(data, name=job.name)


def load_photo_or_stream(job: Job) -> Photo | PhotoStream:
    """Read a job's photo, or only open it if it is too large for memory.

    It is read whole all the same where something is to be written that cannot be made from its
    rows.

    Raises
    ------
    ImageError
        If it cannot be read or used.
    """
    if job.photo == STANDARD_STREAM:
        return load_photo(job)
    from gazeshift.photo.reading import open_photo_file, read_opened
    from gazeshift.photo.streams import STREAMED_FORMATS, PhotoStream

    opened = open_photo_file(Path(job.photo))
    is_large = opened.bytes_in_memory > LARGEST_IN_MEMORY
    if is_large and opened.file_format.name in STREAMED_FORMATS and _can_stream(job):
        return PhotoStream(opened)
    return read_opened(opened)


def _can_stream(job: Job) -> bool:
    from gazeshift.cli.outputs import writer_for

    if job.output is None or job.output == STANDARD_STREAM:
        return False
    return writer_for(Path(job.output)).takes_bands and not any(
        side.needs_pixels for side in job.sides
    )


def check_outputs(job: Job, photo: Photo, *, force: bool) -> None:
    """Refuse a job's outputs before the work starts.

    Raises
    ------
    OutputError
        If one of them cannot or must not be written.
    """
    if job.output is not None and job.output != STANDARD_STREAM:
        from gazeshift.cli.outputs import writer_for

        path = Path(job.output)
        writer_for(path).check(path, photo, force)
    for side, path in job.sides.items():
        side.check(path, force)


def write_outputs(job: Job, result: Result, *, force: bool) -> dict[str, str]:
    """Write everything that a job asks for.

    Returns
    -------
    dict
        Option name → path of each side output.

    Raises
    ------
    OutputError
        If one of them cannot or must not be written.
    """
    if job.output == STANDARD_STREAM:
        from gazeshift.photo import encode_photo

        sys.stdout.buffer.write(encode_photo(result.photo, result.pixels))
        sys.stdout.buffer.flush()
    elif job.output is not None:
        from gazeshift.cli.outputs import writer_for

        path = Path(job.output)
        writer_for(path).write(path, result, force)
    written = {}
    for side, path in job.sides.items():
        side.write(path, result, force)
        written[side.name.replace("-", "_")] = str(path)
    return written


def check_streams(output: str | None, *, as_json: bool) -> None:
    """Refuse a picture on standard output where it cannot go.

    Raises
    ------
    click.UsageError
        If --json wants the same stream, or the stream is a terminal.
    """
    if output != STANDARD_STREAM:
        return
    if as_json:
        raise click.UsageError("-o - and --json both want standard output.")
    if sys.stdout.isatty():
        raise click.UsageError("-o - would print a picture on the terminal: use a pipe or a file.")


def given_sides(options: dict[str, Any], command: str) -> dict[Any, Path]:
    """Pick the side outputs that were asked for out of a command's options."""
    from gazeshift.cli.outputs import SIDE_OUTPUTS

    return {
        side: options[side.name.replace("-", "_")]
        for side in SIDE_OUTPUTS
        if command in side.commands and options[side.name.replace("-", "_")] is not None
    }


def percent(share: float) -> str:
    """Write a share for people."""
    return f"{100 * share:.1f} %"
