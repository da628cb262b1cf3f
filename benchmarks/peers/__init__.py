"""Other ways to watch a pool, attached to an engine as their users attach them."""
