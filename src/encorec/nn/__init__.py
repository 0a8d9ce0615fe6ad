"""Networks and how they are trained. A fitted retriever holds plain arrays: an artifact is served without torch."""
