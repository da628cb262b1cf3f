"""Asks the database server what it knows of our connections, on a connection of its own."""
