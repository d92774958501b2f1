"""What the data say by themselves: findings, and the numbers behind them."""

from mlops_compiler.explore.exploration import About, Exploration, Finding
from mlops_compiler.explore.explore import explore

__all__ = ["About", "Exploration", "Finding", "explore"]
