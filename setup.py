"""Build of the optional native kernel and of the plug-ins' copies; the rest is in pyproject.toml.

The package works without it, so a machine without a compiler installs the package all the same.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "packaging"))

from plugin_list import plugin_files  # noqa: E402 - it lies beside this file, not on the path

_GNU = [
    "-std=gnu11",
    "-ffp-contract=fast",
    "-O3",
    "-fno-math-errno",
    "-fno-trapping-math",
    # Makes minima and maxima single instructions; the callers keep NaN out.
    "-ffinite-math-only",
    "-fno-signed-zeros",
    "-fvisibility=hidden",
]
_MICROSOFT = ["/O2", "/fp:contract"]
# The resampling gives the same bits as numpy, so sums stay as they are written.
_GNU_EXACT = ["-std=gnu11", "-O3", "-ffp-contract=off", "-fvisibility=hidden"]
_MICROSOFT_EXACT = ["/O2", "/fp:precise"]


class Abi3Wheel(bdist_wheel):
    """One wheel per platform for every Python from 3.10 on."""

    def finalize_options(self) -> None:
        """Tag the wheel for the limited API."""
        self.py_limited_api = "cp310"
        super().finalize_options()


class BuildWithPlugins(build_py):
    """Puts the plug-ins' files into the package, so that `gazeshift install` finds them."""

    def run(self) -> None:
        """Build the modules, then copy the plug-ins beside them."""
        super().run()
        if self.editable_mode:
            return  # a checkout's plug-ins are found where they are
        for path, place in plugin_files(HERE):
            folder = Path(self.build_lib, "gazeshift", "plugin_files", place)
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / path.name)


setup(
    ext_modules=[
        Extension(
            "gazeshift.kernel._native",
            sources=["core/gazeshift/kernel/kernel.c"],
            depends=[
                f"core/gazeshift/kernel/{name}.h"
                for name in ("depths", "pixels", "wide_blur", "draw")
            ],
            extra_compile_args=_MICROSOFT if sys.platform == "win32" else _GNU,
            py_limited_api=True,
            optional=True,
        ),
        Extension(
            "gazeshift.kernel._shrink",
            sources=["core/gazeshift/kernel/shrink.c"],
            extra_compile_args=_MICROSOFT_EXACT if sys.platform == "win32" else _GNU_EXACT,
            py_limited_api=True,
            optional=True,
        ),
    ],
    cmdclass={"bdist_wheel": Abi3Wheel, "build_py": BuildWithPlugins},
)
