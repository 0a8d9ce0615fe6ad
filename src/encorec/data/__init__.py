"""Tables in, numbered arrays out: vocabularies, interactions, histories, features, splits, sources."""
