"""Artifacts in use: published, checked, swapped, rolled back."""
