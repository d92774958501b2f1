"""What the data say by themselves: findings, and the numbers behind them."""
