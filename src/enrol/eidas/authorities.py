"""Competent authorities: what certificates and the EBA's register call the same one."""

from typing import Final

AUTHORITIES: Final[dict[str, frozenset[str]]] = {
    "AT_FMA": frozenset({"AT-FMA"}),
    "BE_NBB": frozenset({"BE-NBB"}),
    "BG_BNB": frozenset({"BG-BNB"}),
    "CY_CBC": frozenset({"CY-CBC"}),
    "CZ_CNB": frozenset({"CZ-CNB"}),
    "DE_BAFIN": frozenset({"DE-BAFIN"}),
    "DK_DFSA": frozenset({"DK-DFSA", "DK-FSA"}),
    "EE_FI": frozenset({"EE-FI", "EE-FSA"}),
    "ES_BE": frozenset({"ES-BDE", "ES-BE"}),
    "FI_FIN-FSA": frozenset({"FI-FINFSA", "FI-FSA"}),
    "FR_ACPR": frozenset({"FR-ACPR"}),
    "GR_BOG": frozenset({"GR-BOG"}),
    "HR_CNB": frozenset({"HR-CNB", "HR-HNB"}),
    "HR_HNB": frozenset({"HR-CNB", "HR-HNB"}),
    "HU_CBH": frozenset({"HU-CBH", "HU-MNB"}),
    "HU_MNB": frozenset({"HU-CBH", "HU-MNB"}),
    "IE_CBI": frozenset({"IE-CBI"}),
    "IS_FME": frozenset({"IS-FME"}),
    "IT_BI": frozenset({"IT-BI", "IT-BDI"}),
    "LI_FMA": frozenset({"LI-FMA"}),
    "LT_BL": frozenset({"LT-BL"}),
    "LU_CSSF": frozenset({"LU-CSSF"}),
    "LV_FCMC": frozenset({"LV-FCMC", "LV-FKTK", "LV-LB", "LV-BOL"}),
    "LV_LV": frozenset({"LV-FCMC", "LV-FKTK", "LV-LB", "LV-BOL"}),
    "MT_MFSA": frozenset({"MT-MFSA"}),
    "NL_DNB": frozenset({"NL-DNB"}),
    "NO_FSA": frozenset({"NO-FSA"}),
    "PL_PFSA": frozenset({"PL-PFSA", "PL-KNF"}),
    "PT_BP": frozenset({"PT-BP"}),
    "RO_NBR": frozenset({"RO-NBR", "RO-BNR"}),
    "SE_FINA": frozenset({"SE-FINA", "SE-FI"}),
    "SI_BS": frozenset({"SI-BS"}),
    "SK_NBS": frozenset({"SK-NBS"}),
}
"""The ids of an authority in certificates (nCAId, TS 119 495 annex D), by its code in the register.

The register's codes have no published list that is complete. One that is missing here is the
authority of the same country and letters.
"""


def is_same_authority(code: str, nca_id: str) -> bool:
    """Tell whether a code of the register and an nCAId, ``ES_BE`` and ``ES-BDE``, are one."""
    if code[:2] != nca_id[:2]:
        return False
    return nca_id in AUTHORITIES.get(code, ()) or letters(code) == letters(nca_id)


def letters(text: str) -> str:
    """Return the ASCII letters and digits of a text, in capitals: what numbers are compared by."""
    return "".join([each for each in text if each.isascii() and each.isalnum()]).upper()
