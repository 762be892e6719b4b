"""The domain: who may register, what is registered, and what is remembered of it."""
