"""Variants of experiments and exploration, request by request."""
