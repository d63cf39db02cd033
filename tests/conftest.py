"""What holds for every test: the skip policy is announced, and no property test is judged by the clock."""

import hypothesis

from tests.support.requirements import everything_is_required

# A loaded machine is no failure. Nothing in this suite is timed.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


def pytest_report_header() -> str:
    """Say at the top of the run what a missing tool does."""
    return f"missing tools: {'fail' if everything_is_required() else 'skip'} (REQUIRE_ALL)"
