"""Explanations of what is refused about tokens once they are issued."""

from enrol.explanations.explanation import Explanation

ISSUED_TOKENS: dict[str, Explanation] = {
    "gateway_unknown": Explanation(
        "Only the gateways of the bank may ask about tokens.",
        "Send a secret of [introspection] as bearer, and show the certificate where one is set.",
        "RFC 7662 §2.1, §2.3",
    ),
    "introspection_off": Explanation(
        "Nobody may ask about tokens here.",
        "The bank names its gateways in [introspection] of the settings.",
        "RFC 7662 §2.1",
    ),
    "token_parameter_missing": Explanation(
        "The form lacks token.",
        "Send token=… as application/x-www-form-urlencoded.",
        "RFC 7662 §2.1; RFC 7009 §2.1",
    ),
    "token_type_not_revoked": Explanation(
        "A registration access token cannot be revoked by itself.",
        "It ends with its client: delete the registration.",
        "RFC 7009 §2.2.1",
    ),
}
