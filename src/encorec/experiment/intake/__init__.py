"""Logs and tables come in: exposures, values of units, and the checks made before any effect is shown."""
