"""Tests that may be read before the planned end."""
