"""A service that answers with a language model, and the same route as it should not be written."""
