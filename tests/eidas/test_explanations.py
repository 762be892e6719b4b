import re
from pathlib import Path

import enrol.eidas
from enrol.explanations.eidas import EIDAS

RAISED = re.compile(r'(?:Certificate|Entitlement|Unavailable)Error\(\s*"([a-z0-9_]+)"')
DEVIATIONS_RAISED = {"psd2_roles_malformed", "psd2_role_mismatch"}


def test_every_code_raised_is_explained_and_no_other():
    sources = Path(enrol.eidas.__path__[0]).glob("*.py")
    raised = {code for source in sources for code in RAISED.findall(source.read_text("utf-8"))}
    assert raised | DEVIATIONS_RAISED == set(EIDAS)


def test_meanings_are_one_short_sentence():
    for code, explanation in EIDAS.items():
        assert len(explanation.meaning) <= 100, code
        assert explanation.meaning.endswith("."), code
        assert explanation.remedy, code
        assert explanation.clause, code
