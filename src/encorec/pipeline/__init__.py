"""Retrieve, rank, select: the one function that answers queries, how it is fitted, saved and asked."""
