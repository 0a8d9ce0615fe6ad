"""An open loop of questions at a constant rate."""
