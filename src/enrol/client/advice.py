"""What to look at after a call went wrong: which certificate, which line of the profile."""

from collections.abc import Sequence
from typing import Final

from enrol.client.bank import REGISTRATION_TOKENS, Bank, Bearer
from enrol.client.errors import BankError, Call, Purpose, RegistrationRefusedError
from enrol.explanations.eidas import EIDAS

_CERTIFICATES: Final = {
    "qwac": "the QWAC of the connection: [tpp] qwac",
    "qsealc": "the QSealC: [tpp] qsealc, or --new-qsealc",
}
_NOT_OF_ONE: Final = frozenset(
    {
        "certificates_disagree",
        "trust_list_unavailable",
        "register_unavailable",
        "psp_not_in_register",
        "psp_not_authorised",
        "psp_not_mapped",
    }
)
_WRONG_PATH: Final = frozenset({404, 405, 501})
_TOKENS: Final = frozenset({"token_missing", "token_unknown", "token_malformed"})
_UNREADABLE: Final = "bank_answer_unreadable"


def refused_certificate(error: RegistrationRefusedError) -> str | None:
    """Return which certificate a refusal is about: as the bank says, else as the call tells."""
    if error.certificate is not None:
        return _CERTIFICATES[error.certificate]
    if error.code not in EIDAS or error.code in _NOT_OF_ONE or error.call is None:
        return None
    if error.call.purpose is Purpose.TOKEN:
        return _CERTIFICATES["qwac"]  # nothing else is shown to the token endpoint
    return "the bank does not say which; enrol explain certificate examines the QWAC and the QSealC"


def wrong_setting(error: RegistrationRefusedError | BankError, bank: Bank) -> str | None:
    """Return which setting of the profile is probably wrong, in a sentence; None if none is."""
    call = error.call
    if call is None:
        return None
    if isinstance(error, BankError):
        return _wrong_path(call, bank) if error.code == _UNREADABLE else None
    if error.code == "entry_point_unknown" or _has_nothing_there(error, call):
        return _wrong_path(call, bank)
    if error.code == "client_unknown" and call.purpose is Purpose.TOKEN:
        return f"[bank] client_id is {bank.client_id}: the bank may have told you another."
    if error.code in _TOKENS and call.purpose is not Purpose.TOKEN:
        return _wrong_token(call, bank)
    return None


def wrong_seal(kids: Sequence[str], kid: str) -> str:
    """Return what to do where the bank does not know the key that signed; `kids` it was told."""
    also = "To register the profile's QSealC instead: enrol tpp update."
    if kids and kid not in kids:
        return (
            f"This client was last registered with the QSealC {', '.join(kids)}, and the profile "
            f"signs with {kid}. Set [tpp] qsealc, qsealc_key and kid to the former. {also}"
        )
    return (
        f"The profile signs with the QSealC {kid}, which the bank does not know. If you renewed "
        f"it, set [tpp] qsealc, qsealc_key and kid to the one registered. {also}"
    )


def _has_nothing_there(error: RegistrationRefusedError, call: Call) -> bool:
    """Tell whether the bank has no such path; further calls may answer so for a client."""
    known = call.purpose in {Purpose.TOKEN, Purpose.REGISTER}
    return known and error.status in _WRONG_PATH and error.code != "operation_off"


def _wrong_path(call: Call, bank: Bank) -> str:
    if call.purpose is Purpose.TOKEN:
        return f'[bank] token_endpoint = "{bank.token_endpoint}" is probably wrong.'
    if bank.registration_endpoint is not None:
        place = f'[bank] registration_endpoint = "{bank.registration_endpoint}" is probably wrong.'
    else:
        place = f'[bank] prefix = "{bank.prefix}" is probably wrong.'
    if call.purpose is Purpose.CHECK:
        return f"This bank may not offer the check, which only Enrol has. If it does: {place}"
    return place


def _wrong_token(call: Call, bank: Bank) -> str:
    if call.purpose is Purpose.REGISTER:
        name, now, among = "registration_token", bank.registration_token, REGISTRATION_TOKENS
    else:
        name, now, among = "management_token", bank.management_token, tuple(Bearer)
    others = [bearer.value for bearer in among if bearer is not now]
    return f"[bank] {name} is {now.value}: the bank may want {' or '.join(others)}."
