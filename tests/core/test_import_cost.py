"""Starting must be cheap: heavy packages are loaded when they are needed, not before."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"numpy", "onnxruntime", "pyvips", "tqdm", "PIL", "torch", "aiohttp", "array_api_compat"}
MODULE_LIMIT = 250
"""Python itself loads about 60 modules, click about 80 more."""

SHOW = "import sys; print(' '.join(sys.modules), file=sys.stderr)"


def loaded_by(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"try:\n    {code}\nfinally:\n    {SHOW}"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    return set(done.stderr.split())


@pytest.mark.parametrize(
    "code",
    [
        "import gazeshift",
        "from gazeshift.cli import group; group(['--version'])",
        "from gazeshift.cli import group; group(['--help'])",
        "from gazeshift.cli import group; group(['redirect', '--help'])",
    ],
)
def test_light_starts_load_nothing_heavy(code: str) -> None:
    modules = loaded_by(code)
    assert "gazeshift" in modules
    assert not modules & HEAVY
    assert len(modules) < MODULE_LIMIT


def test_rendering_needs_no_network_runtime() -> None:
    modules = loaded_by(
        "import gazeshift; gazeshift.render; gazeshift.Edit; import gazeshift.render"
    )
    assert "numpy" in modules
    assert not modules & {"onnxruntime", "torch", "PIL", "aiohttp"}


def test_the_reference_decoder_does_not_load_all_of_numpy() -> None:
    # The wrapper of array_api_compat would load numpy.f2py, which takes a fifth of a second.
    modules = loaded_by(
        "import numpy; from gazeshift.operators import OPERATORS; "
        "OPERATORS['sharpening'].apply(numpy.zeros((2, 2, 3), 'f'), amount=1.0)"
    )
    assert "numpy" in modules
    is_standard = "numpy.f2py" not in modules
    import numpy

    assert is_standard == hasattr(numpy, "__array_namespace_info__")


def test_prediction_needs_no_torch() -> None:
    modules = loaded_by("import gazeshift; gazeshift.Redirector()")
    assert not modules & {"onnxruntime", "torch", "PIL", "aiohttp"}
