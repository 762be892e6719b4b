"""A cache keeps what was used last, and no more than it may."""

from enrol.adapters.cache import LruCache


def test_value_is_found_until_others_push_it_out():
    cache = LruCache(2)
    cache.put("a", 1)
    cache.put("b", 2)
    cache.put("c", 3)
    assert [cache.get(name) for name in "abc"] == [None, 2, 3]


def test_value_used_lately_stays():
    cache = LruCache(2)
    cache.put("a", 1)
    cache.put("b", 2)
    cache.get("a")
    cache.put("c", 3)
    assert [cache.get(name) for name in "abc"] == [1, None, 3]


def test_value_put_again_takes_the_place_of_the_old_one():
    cache = LruCache(2)
    cache.put("a", 1)
    cache.put("a", 2)
    cache.put("b", 3)
    assert [cache.get(name) for name in "ab"] == [2, 3]


def test_unwanted_values_are_forgotten():
    cache = LruCache(5)
    for number in range(5):
        cache.put(number, number)
    cache.discard(lambda number: number % 2 == 0)
    assert [cache.get(number) for number in range(5)] == [None, 1, None, 3, None]
