"""Keeps a replica of a store's own engine to the loopback interface, as the rest of that engine is.

Serve opens a port in each replica by which other deployments reach it, on every interface, and has no setting for that.
Who asks there needs the engine's token; but others than this machine need not reach it at all.
"""

from __future__ import annotations

import sys
from typing import Any

_SERVE = "ray.serve._private.replica"
_HERE, _EVERYWHERE = "127.0.0.1", "[::]"


def keep_to_loopback() -> None:
    """Have the replica of this process listen on the loopback interface, where that is how its node is known.

    To be called before the replica opens its ports: in the constructor of what it serves.
    """
    serve: Any = sys.modules.get(_SERVE)
    if serve is None:
        return
    import ray

    if ray.util.get_node_ip_address() != _HERE:
        return
    opened = serve.add_port_to_grpc_server
    serve.add_port_to_grpc_server = lambda server, address: opened(server, address.replace(_EVERYWHERE, _HERE))
