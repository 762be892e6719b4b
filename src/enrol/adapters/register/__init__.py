"""The EBA's register of payment institutions: its file read, and kept small."""
