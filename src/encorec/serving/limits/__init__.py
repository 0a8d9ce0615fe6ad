"""What is refused, shed or answered by popularity so that the service survives."""
