"""Hydra finds its launchers here; nothing heavy is loaded before one is used."""

from hydra_plugins.mlops_ray_launcher.launcher import RayLauncher

__all__ = ["RayLauncher"]
