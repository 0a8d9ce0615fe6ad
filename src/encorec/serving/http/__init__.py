"""Routes, what they take and tell, and how a request becomes an answer."""
