"""What networks can run on, by name. Light: nothing heavy is imported here."""

from __future__ import annotations

from types import MappingProxyType

PROVIDERS = MappingProxyType(
    {
        "cuda": "CUDAExecutionProvider",
        "coreml": "CoreMLExecutionProvider",
        "directml": "DmlExecutionProvider",
        "cpu": "CPUExecutionProvider",
    }
)
"""Our name → onnxruntime's name, in the order in which `auto` tries them."""

PROVIDER_CHOICES = ("auto", *PROVIDERS)
"""Names for every `provider` argument: `auto` takes the first of the others that works."""

RUNTIME_PACKAGES = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-rocm")
"""Packages that provide the module `onnxruntime`; they overwrite each other's files."""


def installed_runtimes() -> dict[str, str]:
    """Return the installed packages that provide `onnxruntime`, with their versions.

    More than one is a broken installation: the files of the last one installed are in use.
    """
    from importlib import metadata

    found: dict[str, str] = {}
    for name in RUNTIME_PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
