"""What ``hydra.launcher`` may say.

Hydra runs every module of a plugin while it looks for plugins, less those whose names begin with an underscore: what is
heavy, or must be a module as others are, hides behind one.
"""

from __future__ import annotations

from dataclasses import dataclass

from hydra.core.config_store import ConfigStore


@dataclass
class RayLauncherConf:
    """Where the jobs run, and how many at once."""

    _target_: str = "hydra_plugins.mlops_ray_launcher.launcher.RayLauncher"
    address: str = "embedded"
    cpus: int | None = None
    gpus: int | None = None
    max_concurrent: int = 4


ConfigStore.instance().store(group="hydra/launcher", name="ray", node=RayLauncherConf, provider="mlops_ray_launcher")
