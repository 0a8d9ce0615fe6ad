"""What was shown and what was done, on disk: written, compacted, replayed."""
