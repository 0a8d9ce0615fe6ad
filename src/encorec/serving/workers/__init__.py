"""Several processes on one socket."""
