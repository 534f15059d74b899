"""A file of prices is accepted, or refused with the key and the fix."""

import pytest

from toyisa.core.state import NEVER
from toyisa.load.fdt import TIMEBASE
from toyisa.tables import cost
from toyisa.tables.cost import CLASSES, EVENTS, MAX_PRICE, CostError, load


def preset(**changes):
    """The text of a whole preset, with some keys changed; None leaves one out."""
    keys = {"summary": '"mine"', "hz": "1_000_000_000", "dtlb": "64", "itlb": "64",
            "tagged": "true", **dict.fromkeys((*CLASSES, *EVENTS), "1")} | changes  # fmt: skip
    lines = [f"{key} = {value}\n" for key, value in keys.items() if value is not None]
    return "[mine]\n" + "".join(lines)


@pytest.fixture
def file(tmp_path):
    """Write a file of presets; its name."""

    def write(text):
        (tmp_path / "mine.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(tmp_path / "mine.toml")

    return write


def test_a_good_file(file):
    found = load(file(preset(alu="7", walk_ref="0")))
    assert (found.name, found.summary, found.hz) == ("mine", "mine", 1_000_000_000)
    assert (found.price["alu"], found.price["walk_ref"]) == (7, 0)


@pytest.mark.parametrize("key", ["hz", "alu", "root_word", "dtlb", "tagged", "summary"])
@pytest.mark.parametrize(
    "value",
    ["-1", "1.5", "1e9", "nan", "inf", '"1"', "[]", "{}", "2026-01-01", "9223372036854775808",
     "1" + "0" * 4000, "true"],
)  # fmt: skip
def test_no_value_of_another_kind(file, key, value):
    if (key, value) in {("summary", '"1"'), ("tagged", "true")}:
        return
    with pytest.raises(CostError, match=rf"mine.toml: .*{key} must be") as raised:
        load(file(preset(**{key: value})))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("key", "value", "is_good"),
    [
        ("hz", TIMEBASE - 1, False), ("hz", TIMEBASE, True), ("hz", cost.MAX_HZ, True),
        ("hz", cost.MAX_HZ + 1, False), ("alu", 0, False), ("alu", MAX_PRICE, True),
        ("alu", MAX_PRICE + 1, False), ("mmio", MAX_PRICE + 1, False), ("dtlb", 3, False),
        ("dtlb", 2048, False), ("dtlb", 1024, True),
    ],
)  # fmt: skip
def test_bounds(file, key, value, is_good):
    if is_good:
        load(file(preset(**{key: value})))
    else:
        with pytest.raises(CostError, match=f"{key} must be"):
            load(file(preset(**{key: value})))


def test_the_clock_holds_what_the_bounds_allow():
    """`clock.py`: a timer's deadline of 2**52 ticks, and 20e9 of the dearest instructions."""
    per_tick = cost.MAX_HZ // TIMEBASE
    assert per_tick < 1 << 10
    assert (1 << 52) * per_tick <= NEVER
    assert NEVER + 20_000_000_000 * MAX_PRICE * len(EVENTS) < 1 << 63


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no cost preset ''; the file has none"),
        ("mine", "is not TOML"),
        (b"\xff\xfe", "is not TOML"),
        ("hz = " + "9" * 5000, "is not TOML"),
        ("a = " + "[" * 50_000, "is nested too deeply|is not TOML"),
        ("a = " + "{a=" * 50_000, "is nested too deeply|is not TOML"),
        ("x" * (cost.MAX_FILE + 1), "is larger than 256 KB"),
        ("mine = 1", "must be a table of prices"),
        (preset(alu=None), "key 'alu' is missing; give it, or `base`"),
        (preset(branches="1"), "unknown key branches; did you mean `branch`?"),
        (preset(summary=repr("x" * 301)), "summary must be one line"),
        (preset(base='"modren"'), "no base modren; did you mean `modern`?"),
        (preset(base="1"), "no base int"),
        (preset(base='"mine"'), "inherits from itself: mine -> mine$"),
        ("[mine]\nbase = 'b'\n[b]\nbase = 'c'\n[c]\nbase = 'b'", "itself: mine -> b -> c -> b$"),
    ],
    ids="empty text bytes digits lists tables large number missing unknown long no_base odd_base "
        "itself cycle".split(),
)  # fmt: skip
def test_refused(file, text, reason):
    with pytest.raises(CostError, match=reason) as raised:
        load(file(text) + ":mine" if text and "[b]" in str(text) else file(text))
    assert "mine.toml" in str(raised.value)
    assert len(str(raised.value)) < 1000


def test_presets_inherit(file):
    modern = load("modern")
    name = file("""
[fast]
base = "modern"
summary = "a faster walk"
walk_ref = 2
[faster]
base = "fast"
alu = 3
""")
    fast, faster = load(f"{name}:fast"), load(f"{name}:faster")
    assert fast.price == modern.price | {"walk_ref": 2}
    assert faster.price == modern.price | {"walk_ref": 2, "alu": 3}
    assert (faster.hz, faster.tagged, faster.summary) == (modern.hz, True, "a faster walk")
    assert faster.name == "faster"


def test_a_base_is_one_of_the_same_file_first(file):
    name = file(preset().replace("[mine]", "[modern]") + "[x]\nbase = 'modern'\n")
    assert load(f"{name}:x").price["mmio"] == 1


def test_an_unknown_name_is_told_with_those_that_there_are(file):
    with pytest.raises(CostError, match=r"no cost preset 'modren'; did you mean `modern`\?"):
        load("modren")
    with pytest.raises(CostError, match="there are p4, core2, modern"):
        load("zzz")
    with pytest.raises(CostError, match=r"mine.toml: no cost preset 'other'; there are mine"):
        load(file(preset()) + ":other")
