"""A new QSealC for a registration: what is registered, and which lines of the profile change."""

import json
from dataclasses import dataclass
from pathlib import Path

from enrol.cli.tpp_desk import Desk
from enrol.client.pem import exposure_warning
from enrol.client.profile import load_seal
from enrol.client.rotation import rotation_values, write_rotation
from enrol.client.seal import Seal
from enrol.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Rotation:
    """The seals to register from now on, the new one first, and what changes in the profile."""

    seals: tuple[Seal, ...]
    values: dict[str, str]

    @property
    def keeps_the_old_seal(self) -> bool:
        """Whether the QSealC of the profile stays registered."""
        return len(self.seals) > 1


def rotation_of(
    desk: Desk, certificate: Path | None, key: Path | None, *, keep: bool, write: bool
) -> Rotation | None:
    """Return the rotation that was asked for, if one was; raises `ConfigurationError`."""
    if certificate is None and key is None:
        if keep or write:
            raise ConfigurationError(
                "new_qsealc_missing",
                "--keep-qsealc and --write-profile need --new-qsealc and --new-qsealc-key.",
            )
        return None
    if certificate is None or key is None:
        raise ConfigurationError(
            "new_qsealc_incomplete", "Write both --new-qsealc and --new-qsealc-key, or neither."
        )
    seal = load_seal(certificate, key, name="new-qsealc")
    if warning := exposure_warning(key, "new-qsealc-key"):
        desk.report.warn(warning)
    values = rotation_values(desk.profile.path, qsealc=certificate, qsealc_key=key, kid=seal.kid)
    old = (desk.profile.credentials.seal,) if keep else ()
    return Rotation((seal, *old), values)


def change_profile(desk: Desk, rotation: Rotation, *, write: bool) -> None:
    """Say which lines of the profile change with the new QSealC, and change them if asked to."""
    path = desk.profile.path
    lines = [
        f"{name} = {json.dumps(value, ensure_ascii=False)}"
        for name, value in rotation.values.items()
    ]
    if write:
        try:
            write_rotation(path, rotation.values)
        except ConfigurationError as exc:
            desk.report.warn(exc.detail)
        else:
            desk.report.quote(f"Changed in [tpp] of {path}:", lines)
            return
    if rotation.keeps_the_old_seal:
        desk.report.say("Either QSealC may sign from now on.", {})
    else:
        desk.report.warn("The client is registered without the QSealC that the profile signs with.")
    desk.report.quote(f"To sign with the new one, write into [tpp] of {path}:", lines)
