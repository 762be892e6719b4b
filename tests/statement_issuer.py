"""An issuer of software statements, with keys of its own."""

import json
from dataclasses import dataclass, field
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

ISSUER = "https://directory.test"
AUDIENCE = "https://bank.test"
Key = RSAKey | ECKey | OKPKey | OctKey


@dataclass
class StatementIssuer:
    """Signs claims; `keys` are published under their names."""

    name: str = ISSUER
    keys: dict[str, Key] = field(default_factory=lambda: {"k1": ECKey.generate_key("P-256")})

    @property
    def jwks(self) -> bytes:
        """What the issuer publishes."""
        public = [k.as_dict(private=False, kid=kid, use="sig") for kid, k in self.keys.items()]
        return json.dumps({"keys": public}).encode()

    def claims(self, at: float, **changes: Any) -> dict[str, Any]:
        """Return the claims of a good statement; those that are changed to None are left out."""
        claims = {
            "iss": self.name,
            "aud": AUDIENCE,
            "iat": int(at),
            "exp": int(at) + 3600,
            "jti": "statement-1",
            "provider_legal_id": "PSDFR-ACPR-12345",
            "redirect_uris": ["https://tpp.test/cb", "https://tpp.test/cb2"],
            "software_id": "acme-app",
        }
        return {name: value for name, value in (claims | changes).items() if value is not None}

    def sign(
        self, claims: dict[str, Any] | bytes, *, alg: str = "ES256", kid: str = "k1", **header: Any
    ) -> str:
        """Return a statement in compact form, signed with one of the keys."""
        payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
        members = {"alg": alg, "kid": kid, "typ": "JWT"} | header
        return jws.serialize_compact(
            {name: value for name, value in members.items() if value is not None},
            payload,
            self.keys[kid],
            registry=jws.JWSRegistry(algorithms=[alg], strict_check_header=False),
        )
