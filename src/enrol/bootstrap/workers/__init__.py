"""The processes of a server: one that supervises, and those that serve."""
