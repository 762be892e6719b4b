"""The channel by which a command beside a running server changes the server's register.

A register has one writer. Where that is a server, it listens on a Unix socket beside the database:
one JSON line asks, one answers.
"""
