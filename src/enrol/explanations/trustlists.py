"""Explanations of what can be wrong with trusted lists; `enrol trust` shows them to operators."""

from enrol.explanations.explanation import Explanation

TRUSTLISTS: dict[str, Explanation] = {
    "trust_source_none": Explanation(
        "This desk is not set up yet: it has no source of trust, so nobody can register.",
        'The bank sets trust.source, to "eu" for the trusted lists of the European Union.',
        "docs/how-to/trusted-lists.md",
    ),
    "list_unreachable": Explanation(
        "A trusted list could not be fetched.",
        "Open HTTPS to the list's host, or keep a mirror and set trust.directory.",
        "TS 119 612 §6.1",
    ),
    "list_too_large": Explanation(
        "What came as a trusted list is longer than 8 MiB.",
        "Look at what is behind its address; a list is at most 2 MiB today.",
        "TS 119 612 §6.1",
    ),
    "list_malformed": Explanation(
        "What came as a trusted list is not one of TS 119 612.",
        "Look at the file; a proxy may have answered in the list's place.",
        "TS 119 612 §5, annex B",
    ),
    "list_signature_invalid": Explanation(
        "The signature of a trusted list does not verify under a certificate allowed to sign it.",
        "Fetch again. Of the LOTL: its signers may be new, so update Enrol or set lotl_anchors.",
        "TS 119 612 §5.7, Decision (EU) 2015/1505 art. 4",
    ),
    "list_rolled_back": Explanation(
        "The trusted list that came is older than the one held.",
        "Look at the mirror or proxy that gives old lists; the one held stays until it ends.",
        "TS 119 612 §5.3.2",
    ),
    "list_from_future": Explanation(
        "The trusted list is dated in the future.",
        "Set the clock of this machine; if it is right, do not believe the list.",
        "TS 119 612 §5.3.14",
    ),
    "list_ended": Explanation(
        "The list of the lists is past its next update.",
        "Fetch the current one; where there is none yet, set trust.grace_days, 7 at most.",
        "TS 119 612 §5.3.15",
    ),
    "service_without_certificate": Explanation(
        "A listed service has no certificate that can be read, so it is not trusted.",
        "Nothing can be changed here; the territory's scheme operator can mend its list.",
        "TS 119 612 §5.5.3",
    ),
}
