"""The wire of OAuth: client metadata, JSON Web Keys, bearer tokens, certificate binding."""
