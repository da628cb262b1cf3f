"""What observing costs, measured against SQLAlchemy alone and against other tools.

`python -m benchmarks` is the one command; `--help` lists the others.
"""
