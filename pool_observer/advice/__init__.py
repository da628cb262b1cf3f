"""What pool size a service needs, and what it would need if it were mended, from measurement."""
