"""Unit tests of every alert, as promtool runs them."""
