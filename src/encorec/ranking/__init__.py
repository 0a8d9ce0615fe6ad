"""In what order: training sets, rankers, explanations."""
