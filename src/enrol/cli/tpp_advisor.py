"""What is known on this side when a call went wrong, and the tokens that are kept for calls."""

import os
import shlex
from contextlib import suppress
from dataclasses import dataclass

from enrol.client import BankError, Profile, RegistrationRefusedError
from enrol.client.advice import wrong_seal, wrong_setting
from enrol.client.registrations import KeptRegistration, find_registration
from enrol.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Advisor:
    """Knows what to look at after a call went wrong, from the profile and what is kept."""

    profile: Profile

    def __call__(self, error: RegistrationRefusedError | BankError) -> str | None:
        """Return a sentence, or None."""
        if isinstance(error, RegistrationRefusedError) and error.call is not None:
            client_id = error.call.url.rpartition("/")[2]
            with suppress(ConfigurationError):
                kept = self._kept(client_id)
                if error.code == "KEY-2":
                    kids = kept.kids if kept is not None else ()
                    return wrong_seal(kids, self.profile.credentials.seal.kid)
                if error.code == "client_not_yours" and kept is not None:
                    return f"If it was deleted elsewhere: {self._forget(client_id)}"
        return wrong_setting(error, self.profile.bank)

    def own_token(self, client_id: str) -> str | None:
        """Return the registration access token of a client: of the environment, else as kept."""
        given = os.environ.get("ENROL_REGISTRATION_ACCESS_TOKEN")
        if given:
            return given
        kept = self._kept(client_id)
        return kept.registration_access_token if kept is not None else None

    def _kept(self, client_id: str) -> KeptRegistration | None:
        bank = self.profile.bank.url
        return find_registration(self.profile.path, client_id=client_id, bank=bank)

    def _forget(self, client_id: str) -> str:
        profile, bank = str(self.profile.path), self.profile.bank.url
        words = ["enrol", "tpp", "forget", client_id, "--profile", profile, "--bank-url", bank]
        return shlex.join(words)
