"""What `pool-observer top` and `snapshot` show in a terminal."""
