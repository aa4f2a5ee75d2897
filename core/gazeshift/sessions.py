"""Network files: where they are, on which processor they run, and whether they fit this version.

`onnxruntime` is imported when the first network is used. The packages `onnxruntime`,
`onnxruntime-gpu` and `onnxruntime-directml` all provide that module; one of them, any of them,
must be installed.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gazeshift.errors import ModelError, ParamError
from gazeshift.providers import PROVIDER_CHOICES, PROVIDERS

MODELS_VARIABLE = "GAZESHIFT_MODELS"
"""Environment variable that names another folder of networks."""

SMALLEST_SIDE = 64
"""Networks see pictures of at least this many pixels per side; smaller ones are enlarged."""

_QUIET = 3  # onnxruntime's own log: errors only
_SILENT = 4
_log = logging.getLogger(__name__)


def model_path(name: str) -> Path:
    """Return where a shipped network lies.

    Parameters
    ----------
    name
        `attention` or `redirector`. The folder is the package's own, or the one that the
        environment variable GAZESHIFT_MODELS names.
    """
    folder = os.environ.get(MODELS_VARIABLE)
    root = Path(folder) if folder else Path(__file__).parent / "models"
    return root / f"{name}.onnx"


@dataclass(frozen=True)
class Contract:
    """What a network file must offer."""

    kind: str
    """What the file is called in messages."""
    inputs: Mapping[str, Sequence[int | None]]
    """Name → shape; None where any size is allowed."""
    outputs: Mapping[str, Sequence[int | None]]
    """Name → shape; None where any size is allowed."""


@dataclass
class Network:
    """One network file, opened at its first use and safe to share between threads.

    Parameters
    ----------
    path
        The ONNX file.
    contract
        What it must offer.
    provider
        One of `PROVIDER_CHOICES`.

    Raises
    ------
    ParamError
        If the provider's name is unknown.
    """

    path: Path
    contract: Contract
    provider: str = "auto"
    warnings: list[str] = field(default_factory=list, init=False)
    """What went wrong without stopping the work, such as an accelerator that failed."""
    _session: Any = field(default=None, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        """Check the provider's name early, where the caller's mistake is."""
        if self.provider not in PROVIDER_CHOICES:
            raise ParamError(
                f"There is no provider named '{self.provider}'.",
                hint=f"Choose one of {', '.join(PROVIDER_CHOICES)}.",
            )

    @property
    def metadata(self) -> Mapping[str, str]:
        """Return what the file says about itself.

        Raises
        ------
        ModelError
            If the file is missing, damaged or no network of this kind.
        """
        properties: dict[str, str] = self._opened().get_modelmeta().custom_metadata_map
        return properties

    @property
    def active_provider(self) -> str:
        """Return the name of the processor in use: cpu, cuda, coreml or directml."""
        used = self._opened().get_providers()[0]
        return next((name for name, full in PROVIDERS.items() if full == used), str(used))

    def require(self, key: str) -> str:
        """Return one metadata entry.

        Raises
        ------
        ModelError
            If the entry is absent.
        """
        value = self.metadata.get(key)
        if value is None:
            raise self.error(f"does not say its '{key}'")
        return value

    def error(self, complaint: str) -> ModelError:
        """Return the error for a file that cannot be used, ready to raise."""
        return ModelError(
            f"{self.path.name} {complaint}.",
            hint=f"Use the {self.contract.kind} that comes with this GazeShift: reinstall it, or "
            f"check {MODELS_VARIABLE} and the --model options.",
        )

    def run(self, feeds: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
        """Run the network once.

        Parameters
        ----------
        feeds
            Input name → array.

        Returns
        -------
        dict
            Output name → array, finite.

        Raises
        ------
        ModelError
            If the network fails or its numbers are not finite.
        """
        names = list(self.contract.outputs)
        session = self._opened()
        try:
            results = session.run(names, dict(feeds))
        except Exception as error:  # the runtime's exceptions share no base class of their own
            if session.get_providers()[0] == PROVIDERS["cpu"]:
                raise self.error(f"failed while running: {_first_line(error)}") from error
            self._fall_back(session, error)
            return self.run(feeds)
        for name, values in zip(names, results, strict=True):
            if not np.isfinite(values).all():
                raise self.error(f"gave numbers that are not finite in '{name}'")
        return {
            name: np.asarray(values, np.float32)
            for name, values in zip(names, results, strict=True)
        }

    def open_ahead(self) -> None:
        """Begin to open the file in a thread, so that it is ready sooner when it is needed.

        Nothing is raised here: whatever goes wrong comes up when the network is used.
        """
        if self._session is None:
            threading.Thread(target=self._open_quietly, name="gazeshift-network").start()

    def _open_quietly(self) -> None:
        with contextlib.suppress(ModelError):
            self._opened()

    def _opened(self) -> Any:
        if self._session is None:
            with self._lock:
                if self._session is None:
                    session = self._open()
                    self._check(session)
                    self._session = session
        return self._session

    def _fall_back(self, failed: Any, error: Exception) -> None:
        with self._lock:
            if self._session is failed:
                self._warn(f"The {failed.get_providers()[0]} failed: {_first_line(error)}")
                self._session = self._create(_import_runtime(), PROVIDERS["cpu"])

    def _open(self) -> Any:
        if not self.path.is_file():
            raise ModelError(
                f"The {self.contract.kind} is missing: there is no file {self.path}.",
                hint=f"Reinstall GazeShift, or set {MODELS_VARIABLE} to a folder that holds it.",
            )
        runtime = _import_runtime()
        available = runtime.get_available_providers()
        if self.provider == "auto":
            wanted = [full for full in PROVIDERS.values() if full in available]
        elif PROVIDERS[self.provider] in available:
            wanted = [PROVIDERS[self.provider]]
        else:
            self._warn(f"{self.provider} is not available to the installed onnxruntime")
            wanted = []
        for full in wanted:
            if full == PROVIDERS["cpu"]:
                break
            try:
                session = self._create(runtime, full)
            except Exception as error:  # the runtime's exceptions share no base class
                self._warn(f"The {full} failed: {_first_line(error)}")
                continue
            # The runtime falls back without raising when a driver library is missing.
            if session.get_providers()[0] == full:
                return session
            self._warn(f"The {full} could not be loaded")
        try:
            return self._create(runtime, PROVIDERS["cpu"])
        except Exception as error:  # the runtime's exceptions share no base class
            raise self.error(f"is not a readable network: {_first_line(error)}") from error

    def _create(self, runtime: Any, full_name: str) -> Any:
        options = runtime.SessionOptions()
        options.log_severity_level = _QUIET if full_name == PROVIDERS["cpu"] else _SILENT
        # Waiting threads sleep: spinning would take the cores away from what runs between two
        # networks, and costs more than it gains on pictures of this size.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        names = [full_name]
        if full_name == PROVIDERS["cuda"]:
            _preload_cuda(runtime)
        if full_name == PROVIDERS["directml"]:
            # DirectML's documented conditions.
            options.enable_mem_pattern = False
            options.execution_mode = runtime.ExecutionMode.ORT_SEQUENTIAL
        if full_name != PROVIDERS["cpu"]:
            names.append(PROVIDERS["cpu"])
        return runtime.InferenceSession(str(self.path), options, providers=names)

    def _check(self, session: Any) -> None:
        for side, wanted, found in (
            ("input", self.contract.inputs, session.get_inputs()),
            ("output", self.contract.outputs, session.get_outputs()),
        ):
            shapes = {node.name: node.shape for node in found}
            for name, shape in wanted.items():
                if name not in shapes:
                    raise self.error(f"has no {side} named '{name}'")
                if not _fits(shapes[name], shape):
                    raise self.error(f"has the {side} '{name}' in another shape: {shapes[name]}")
        extra = {node.name for node in session.get_inputs()} - set(self.contract.inputs)
        if extra:
            raise self.error(f"asks for an input that GazeShift does not know: {min(extra)}")

    def _warn(self, what: str) -> None:
        message = f"{what}; the {self.contract.kind} runs on the processor instead."
        self.warnings.append(message)
        _log.warning(message)


def enlarge_small(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Repeat the pixels of very small pictures, so that every side has `SMALLEST_SIDE` pixels.

    Parameters
    ----------
    values
        Shape (h, w) or (h, w, C).
    """
    for axis in (0, 1):
        times = -(-SMALLEST_SIDE // values.shape[axis])
        if times > 1:
            values = np.repeat(values, times, axis=axis)
    return values


def _import_runtime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelError(
            f"onnxruntime cannot be loaded: {_first_line(error)}.",
            hint="Install it again: pip install --force-reinstall onnxruntime.",
        ) from error
    # Windows builds report usage to their maker unless told not to.
    onnxruntime.disable_telemetry_events()
    onnxruntime.set_default_logger_severity(_QUIET)
    return onnxruntime


def _preload_cuda(runtime: Any) -> None:
    """Load CUDA's libraries out of NVIDIA's Python packages, which no loader path names."""
    if hasattr(runtime, "preload_dlls"):
        # It prints what it misses; standard output is for results.
        with contextlib.redirect_stdout(io.StringIO()) as complaints:
            runtime.preload_dlls()
        _log.debug("%s", complaints.getvalue())


def _fits(found: Sequence[Any], wanted: Sequence[int | None]) -> bool:
    # A name in the file's shape means any size; so does None in what we want.
    return len(found) == len(wanted) and all(
        want is None or not isinstance(have, int) or have == want
        for have, want in zip(found, wanted, strict=True)
    )


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return text[0].rstrip(".") if text else type(error).__name__
