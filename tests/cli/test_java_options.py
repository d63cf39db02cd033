"""JAVA_TOOL_OPTIONS is split and quoted as the Java virtual machine does it."""

import pytest

from watchword.cli.java_options import find_property, format_property, split_options, without_properties


def test_options_are_split_as_java_splits_them() -> None:
    text = """  -Da=1\t-Db="x y"'z "w' '-Dc=it"s' """
    options = split_options(text)
    assert options == ["-Da=1", '-Db="x y"\'z "w\'', "'-Dc=it\"s'"]
    assert find_property(options, "b") == 'x yz "w'
    assert find_property([*options, "-Da=2"], "a") == "2"
    assert find_property(options, "d") is None
    assert without_properties(options, ["c", "a"]) == [options[1]]


@pytest.mark.parametrize("value", ["/plain", "/with blank", "it's", '"', """'a' "b" c""", ""])
def test_property_is_quoted_so_that_java_reads_it_back(value: str) -> None:
    assert find_property(split_options(format_property("name", value)), "name") == value
