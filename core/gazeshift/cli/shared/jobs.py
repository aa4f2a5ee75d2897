"""Which photos, which masks, which outputs: settled for all photos before any work starts."""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

from gazeshift.cli.outputs.kinds import SideOutput
from gazeshift.errors import ImageError, MaskError, OutputError

STANDARD_STREAM = "-"
MASK_ENDINGS = ("", "-mask", "_mask")
"""What may stand between a photo's name and the ending of its mask in --masks."""
MASK_SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".webp")
"""Endings that --masks looks for."""


@dataclass(frozen=True)
class Job:
    """One photo and where its results go."""

    photo: str
    """A path, or `-` for standard input."""
    output: str | None
    """A path, `-` for standard output, or None for no picture."""
    mask: str | None = None
    """What --mask said, the same for every photo."""
    masks: Path | None = None
    """Folder to look for the photo's mask in."""
    sides: Mapping[SideOutput, Path] = field(default_factory=dict)
    """What to write beside the picture, and where."""

    @property
    def name(self) -> str:
        """Return what to call the photo in messages."""
        if self.photo == STANDARD_STREAM:
            return "standard input"
        return click.format_filename(self.photo)

    @property
    def arrow(self) -> str:
        """Return the photo and where its picture went, for people."""
        target = "" if self.output is None else f" -> {click.format_filename(self.output)}"
        return self.name + target

    def mask_source(self) -> str | None:
        """Return the mask's path or shape; look it up in the folder if there is one.

        Raises
        ------
        MaskError
            If the folder holds no mask for the photo, or several.
        """
        return self.mask if self.masks is None else str(_find_mask(self.masks, self.photo))


def expand_photos(arguments: Sequence[str]) -> list[str]:
    """Replace file patterns by the files they match, in order of name.

    Parameters
    ----------
    arguments
        Paths, patterns with `*`, `?` or `[...]`, or `-`.

    Raises
    ------
    ImageError
        If a pattern matches nothing.
    """
    photos: list[str] = []
    for argument in arguments:
        if argument == STANDARD_STREAM or os.path.exists(argument) or not _is_pattern(argument):
            photos.append(argument)
            continue
        matches = sorted(path for path in glob.glob(argument) if not os.path.isdir(path))
        if not matches:
            raise ImageError(f"No file matches {argument}.", hint="Check the folder's name.")
        photos.extend(matches)
    return photos


def plan_jobs(
    photos: Sequence[str],
    *,
    output: str | None,
    output_dir: Path | None,
    mask: str | None = None,
    masks: Path | None = None,
    sides: Mapping[SideOutput, Path] | None = None,
    needs_output: bool = True,
    suffix: str | None = None,
    inputs: Sequence[Path] = (),
) -> list[Job]:
    """Settle every photo's outputs and refuse what cannot work, before any work starts.

    Parameters
    ----------
    photos
        Paths or `-`; see `expand_photos`.
    output, output_dir
        What -o and --output-dir said.
    mask, masks
        What --mask and --masks said.
    sides
        What the options of the side outputs said.
    needs_output
        Whether -o or --output-dir must be given.
    suffix
        Ending of the files in the output folder; by default the photo's own.
    inputs
        Further files that must not be written to.

    Raises
    ------
    click.UsageError
        If options are missing or contradict each other.
    OutputError
        If two results would land in one file, or a result in an input.
    """
    sides = sides or {}
    _check_options(photos, output, output_dir, mask, masks, needs_output)
    is_batch = output_dir is not None
    if output_dir is not None:
        _make_folder(output_dir)
    jobs = []
    for photo in photos:
        target = output
        if output_dir is not None:
            path = Path(photo)
            target = str(output_dir / (path.name if suffix is None else path.stem + suffix))
        jobs.append(
            Job(
                photo,
                target,
                mask,
                masks,
                {side: _side_path(side, given, photo, is_batch) for side, given in sides.items()},
            )
        )
    mask_files = [Path(mask)] if mask is not None and os.path.exists(mask) else []
    _check_collisions(jobs, [*inputs, *mask_files])
    for side, given in sides.items():
        if is_batch:
            _make_folder(given)
        elif side.is_folder and given.exists() and not given.is_dir():
            raise OutputError(f"{given} is not a folder.", hint=f"--{side.name} names a folder.")
    return jobs


def _check_options(
    photos: Sequence[str],
    output: str | None,
    output_dir: Path | None,
    mask: str | None,
    masks: Path | None,
    needs_output: bool,
) -> None:
    if output is not None and output_dir is not None:
        raise click.UsageError("-o and --output-dir exclude each other.")
    if mask is not None and masks is not None:
        raise click.UsageError("--mask and --masks exclude each other.")
    if output is not None and len(photos) > 1:
        raise click.UsageError(
            f"-o names one file, but there are {len(photos)} photos: use --output-dir."
        )
    if needs_output and output is None and output_dir is None:
        raise click.UsageError("Say where the result goes: -o FILE, or --output-dir DIR.")
    if STANDARD_STREAM in photos and (len(photos) > 1 or output_dir is not None):
        raise click.UsageError("Standard input (-) is one photo and needs -o.")
    if STANDARD_STREAM in photos and masks is not None:
        raise click.UsageError("Standard input (-) has no name to find a mask by: use --mask.")
    if masks is not None and not masks.is_dir():
        raise click.UsageError(f"--masks: there is no folder {masks}.")


def _check_collisions(jobs: Sequence[Job], inputs: Sequence[Path]) -> None:
    read = {_key(path) for path in inputs}
    read.update(_key(Path(job.photo)) for job in jobs if job.photo != STANDARD_STREAM)
    written: dict[str, str] = {}
    for job in jobs:
        targets = [] if job.output in (None, STANDARD_STREAM) else [Path(str(job.output))]
        targets += [path for side, path in job.sides.items() if not side.is_folder]
        if job.masks is not None:
            read.update(_key(path) for path in _mask_candidates(job.masks, job.photo))
        for target in targets:
            key = _key(target)
            if key in read:
                raise OutputError(
                    f"{target} is an input; inputs are never overwritten.",
                    hint="Choose another name or folder for the result.",
                )
            if key in written:
                raise OutputError(
                    f"{job.name} and {written[key]} would both be written to {target}.",
                    hint="Rename one of them, or edit them one at a time.",
                )
            written[key] = job.name


def _key(path: Path) -> str:
    # Folded, because on macOS and Windows names that differ in case alone are one file.
    return str(path.resolve()).casefold()


def _side_path(side: SideOutput, given: Path, photo: str, is_batch: bool) -> Path:
    if not is_batch:
        return given
    return given / (Path(photo).stem + ("" if side.is_folder else side.suffix))


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The folder {path} cannot be made: {error.strerror or error}.",
            hint="Choose another one.",
        ) from error


def _is_pattern(text: str) -> bool:
    return any(character in text for character in "*?[")


def _mask_candidates(folder: Path, photo: str) -> list[Path]:
    stem = Path(photo).stem
    names = (f"{stem}{ending}{suffix}" for ending in MASK_ENDINGS for suffix in MASK_SUFFIXES)
    files = [path for path in map(folder.joinpath, names) if path.is_file()]
    # Photos and masks may share a folder; a photo is never its own mask.
    return [path for path in files if _key(path) != _key(Path(photo))]


def _find_mask(folder: Path, photo: str) -> Path:
    found = _mask_candidates(folder, photo)
    stem = Path(photo).stem
    if not found:
        raise MaskError(
            f"{folder} holds no mask for {Path(photo).name}.",
            hint=f"Name it {stem}.png or {stem}-mask.png.",
        )
    if len(found) > 1:
        raise MaskError(
            f"{folder} holds several masks for {Path(photo).name}: "
            f"{', '.join(path.name for path in found)}.",
            hint="Keep one of them.",
        )
    return found[0]
