"""Everything for Prometheus, on top of `prometheus_client`."""
