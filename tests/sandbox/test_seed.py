import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256

from enrol.sandbox.seed import RandomKeys, SeededKeys


def numbers(keys: SeededKeys) -> tuple[object, ...]:
    return (
        keys.rsa_key("a", 1024).private_numbers(),
        keys.ec_key("a").private_numbers(),
        keys.serial_number("a"),
        keys.secret("a"),
    )


def test_the_same_seed_gives_the_same_keys() -> None:
    assert numbers(SeededKeys(7)) == numbers(SeededKeys(7))


def test_another_seed_gives_other_keys() -> None:
    pairs = zip(numbers(SeededKeys(7)), numbers(SeededKeys(8)), strict=True)
    assert all(one != other for one, other in pairs)


def test_a_label_used_again_gives_another_key() -> None:
    keys = SeededKeys(7)
    pairs = zip(numbers(keys), numbers(keys), strict=True)
    assert all(one != other for one, other in pairs)


def test_keys_do_not_depend_on_the_order_of_labels() -> None:
    keys = SeededKeys(7)
    keys.serial_number("b")
    assert keys.serial_number("a") == SeededKeys(7).serial_number("a")


@pytest.mark.parametrize("seed", range(3))
def test_a_seeded_rsa_key_has_its_size_and_signs(seed: int) -> None:
    key = SeededKeys(seed).rsa_key("a", 1024)
    assert key.key_size == 1024
    assert key.public_key().public_numbers().e == 65537
    signature = key.sign(b"text", padding.PKCS1v15(), SHA256())
    key.public_key().verify(signature, b"text", padding.PKCS1v15(), SHA256())


@pytest.mark.parametrize("keys", [RandomKeys(), SeededKeys(7)], ids=["random", "seeded"])
def test_serial_numbers_and_secrets_have_their_form(keys: RandomKeys | SeededKeys) -> None:
    assert 0 < keys.serial_number("a").bit_length() <= 159
    assert len(keys.secret("a")) == 43  # 32 bytes in base64url


def test_random_keys_differ() -> None:
    keys = RandomKeys()
    assert keys.ec_key("a").private_numbers() != keys.ec_key("a").private_numbers()
    assert keys.secret("a") != keys.secret("a")
