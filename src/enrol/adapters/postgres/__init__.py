"""The register in PostgreSQL, for several servers at once."""
