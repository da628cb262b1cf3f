"""The only modules that know SQLAlchemy: they turn what it does into calls on a ledger."""
