"""The bug this library was written for, live on a real PostgreSQL: `pool-observer demo`."""
