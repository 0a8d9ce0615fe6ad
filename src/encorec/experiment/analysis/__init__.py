"""Effects with intervals, their corrections, the decision, and what it is worth."""
