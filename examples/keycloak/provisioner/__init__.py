"""Keeps the clients of a Keycloak realm as Enrol has registered them."""
