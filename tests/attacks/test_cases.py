"""Every attack case of the groups of `attacks.corpus`, one test a variant."""

import pytest

from attacks.attempt import begin
from attacks.bank import Banks, eventually
from attacks.corpus import Attack, attack_parameters
from attacks.exclusions import NOT_APPLICABLE
from attacks.operators import apply
from attacks.verdict import check


@pytest.mark.live
@pytest.mark.parametrize("attack", attack_parameters())
def test_an_attack_is_repelled(banks: Banks, attack: Attack) -> None:
    reason = NOT_APPLICABLE.get(attack.name)
    if reason is not None:
        pytest.skip(reason)
    attempt = begin(attack, banks.get(attack.bank))
    apply(attempt, banks.get)
    attempt.run()
    check(attempt)


@pytest.mark.live
def test_the_banks_hold_nothing_open_after_all_attacks(banks: Banks) -> None:
    for bank in banks:
        assert bank.desk.process.poll() is None
        for party in bank.parties.values():
            party.close()
        assert eventually(lambda bank=bank: bank.count_descriptors() <= bank.descriptors + 5)
