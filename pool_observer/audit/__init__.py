"""Finds what is wrong with a configuration before it hurts."""
