"""A backtest as a page to look at."""
