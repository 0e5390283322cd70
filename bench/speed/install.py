"""How large an installation is, package by package, and how long it takes.

    python -m bench.speed install                    turnwise and what it always needs, with the embedded engine
    python -m bench.speed install --extras tools     with more

It is installed from this checkout into an environment that is made for it, by pip, from the package index or from what
pip has kept of it; so a round may fetch a hundred megabytes, and its seconds are mostly the network's. Sizes are those
on the disk, with what Python compiles at the installation. The weights of the default model, 98 MB, are fetched at the
first start, and are not part of it.
"""

import json
import subprocess
import sys
import tempfile
import time
from importlib.metadata import Distribution, distributions
from pathlib import Path

from bench.speed.results import Table, parser

ROOT = Path(__file__).parents[2]

TABLE = Table("install", "What an installation takes on the disk", ("package",), {"MB": 1, "seconds": 0})

SHOWN = 12
"""How many packages have a row of their own."""

ALL, OTHERS = "all", "others"


def main() -> None:
    options = parser(__doc__, rounds=1)
    options.add_argument("--extras", nargs="*", default=[], help="what is installed with it, as in turnwise[EXTRA]")
    given = options.parse_args()
    for _ in range(given.rounds):
        measure(given.extras)
    TABLE.finish(given)


def measure(extras: list[str]) -> None:
    """Install it into an environment of its own, and weigh what is there then."""
    with tempfile.TemporaryDirectory() as folder:
        environment = Path(folder, "environment")
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        python = environment / "bin" / "python"
        what = f"{ROOT}[{','.join(extras)}]" if extras else str(ROOT)
        begun = time.perf_counter()
        pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", what]
        subprocess.run(pip, check=True)
        seconds = time.perf_counter() - begun
        site = json.loads(
            subprocess.check_output([python, "-c", "import json, site; print(json.dumps(site.getsitepackages()))"])
        )
        sizes = {found.name: _size(found) for found in distributions(path=site)}
        total = sum(_on_disk(file) for file in environment.rglob("*") if file.is_file() and not file.is_symlink())
        TABLE.add([ALL], MB=total / 1e6, seconds=seconds)
        largest = sorted(sizes, key=lambda name: -sizes[name])[:SHOWN]
        for name in largest:
            TABLE.add([name], MB=sizes[name] / 1e6)
        TABLE.add([OTHERS], MB=(total - sum(sizes[name] for name in largest)) / 1e6)


def _size(package: Distribution) -> int:
    """In bytes, on the disk."""
    files = [Path(str(package.locate_file(file))) for file in package.files or ()]
    return sum(_on_disk(file) for file in files if file.is_file())


def _on_disk(file: Path) -> int:
    return file.stat().st_blocks * 512
