"""How good were the lists: metrics of anybody's recommendations, with intervals."""
