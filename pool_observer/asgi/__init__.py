"""Names the holder of every connection after the request it is held for. Imports no framework."""
