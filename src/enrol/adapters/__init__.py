"""The world behind the ports: the register in SQLite, trust files, the fetcher, logs, the clock."""
