"""Encorec: retrieve, rank, serve and measure recommendations, with one engine for all of it."""

__version__ = "0.1.0"
