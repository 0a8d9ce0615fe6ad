"""From logs to decisions: assignment, analysis, money. Reads tables, never a model."""
