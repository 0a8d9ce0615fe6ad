"""Lists of several rankers in one, and whose places are taken."""
