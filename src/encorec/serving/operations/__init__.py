"""What operators see and set: metrics, logs, traces, the environment."""
