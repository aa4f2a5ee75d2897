"""The plug-in for GIMP 2.10, as far as it can be judged without that GIMP."""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[3] / "plugins" / "gimp" / "gimp2"


def test_calls_fit_the_stubs_of_gimpfu(tmp_path: Path) -> None:
    config = tmp_path / "mypy.ini"
    config.write_text(f"[mypy]\ncheck_untyped_defs = True\ncache_dir = {tmp_path / 'cache'}\n")
    files = [str(FOLDER / name) for name in ("gazeshift.py", "gazeshift_bridge.py")]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(config), *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
