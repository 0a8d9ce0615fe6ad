"""A closed loop on a world whose true effects are known, and data for examples."""
