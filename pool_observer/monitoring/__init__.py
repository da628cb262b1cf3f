"""Dashboards, alert rules and runbooks, all written from one list of signals."""
