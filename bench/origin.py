"""Where a figure comes from: the CPU, the commit, the versions.

Must not know what is measured.
"""

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def cpu_model() -> str:
    """The CPU's name as the system tells it."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.machine()


def commit() -> str:
    """The commit measured, with `+` when the tree has changes on top of it."""
    here = Path(__file__).parent
    command = ("git", "-C", str(here), "describe", "--always", "--dirty=+")
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def origin() -> dict[str, str]:
    """What belongs with every figure."""
    return {
        "cpu": cpu_model(),
        "commit": commit(),
        "python": platform.python_version(),
        "numba": _version("numba"),
        "spike": _version("spike"),
    }
