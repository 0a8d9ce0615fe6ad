"""What users did since training: events in, the state of a user out."""
