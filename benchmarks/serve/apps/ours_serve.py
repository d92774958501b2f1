"""The service of the release as `mlops-compile deploy` starts it; ends it when it is told to end."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path


def told(command: str, *words: str) -> None:
    subprocess.run([sys.executable, "-m", "mlops_compiler.cli", command, "recipe=churn", *words], check=True)


def main(port: int, folder: Path, proxy: str = "") -> None:
    """Serve from a copy of the store in the current folder, which is empty."""
    shutil.copytree(folder / ".mlops", ".mlops")
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        told("deploy", f"deploy.port={port}", "deploy.host=127.0.0.1", f"deploy.proxy={proxy or 'serve'}")
        signal.sigwait({signal.SIGTERM})
    finally:
        told("undeploy")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
