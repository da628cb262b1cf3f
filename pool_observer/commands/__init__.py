"""The commands of `pool-observer`, a file each."""
