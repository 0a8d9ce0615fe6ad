"""Who could be shown: every retriever turns histories into scores; there is no table of user vectors."""
