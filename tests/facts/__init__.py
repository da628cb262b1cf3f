"""One test for each measured fact about SQLAlchemy that breaks naive implementations.

Each first shows the fact, where that is possible, and then that we are right in spite of it.
"""
