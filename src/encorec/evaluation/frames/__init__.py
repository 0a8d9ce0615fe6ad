"""Metrics of anybody's lists, from files and data frames: ids come in, row numbers go no further out than this."""
