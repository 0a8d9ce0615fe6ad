"""The engine behind HTTP: state, events, snapshots."""
