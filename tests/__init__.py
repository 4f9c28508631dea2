"""The tests. Assertions in the words that they share are explained as those in tests are."""

import pytest

pytest.register_assert_rewrite("tests.support.compare", "tests.support.shop")
