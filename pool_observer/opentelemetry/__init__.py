"""Everything for OpenTelemetry, through its API: whoever runs it brings the SDK."""
