"""Scenario files: what is wrong in one is said with its place, and nothing in one does harm."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toyisa.files.reading import Unreadable
from vmm.scenario import catalogue
from vmm.scenario.kernels import kernels
from vmm.scenario.plan import Do
from vmm.scenario.read import MAX_DOMAINS, MAX_EVENTS, MAX_FILE, checked, read
from vmm.scenario.tables import ScenarioError

DOMAIN = '[[domain]]\nname = "a"\nkernel = "hello"\n'


WRONG = [
    ("[hosts]\n" + DOMAIN, r"s\.toml: unknown key 'hosts'; did you mean `host`\?"),
    ('host = 3\n' + DOMAIN, r"\[host\]: must be a table, not 3"),
    ("[host]\nhart = 2\n" + DOMAIN, r"\[host\]: unknown key 'hart'; did you mean `harts`\?"),
    ("[host]\nharts = 9\n" + DOMAIN, r"\[host\], key 'harts': must be a whole number, 1 to 8"),
    ("[host]\nharts = true\n" + DOMAIN, "key 'harts': must be a whole number, 1 to 8, not True"),
    ("[host]\nmem = 3.5\n" + DOMAIN, "key 'mem': must be a size, 1M to 2048M"),
    ('[host]\nmem = "9999999G"\n' + DOMAIN, "key 'mem': must be a size"),
    ('[host]\nscheduler = "rrr"\n' + DOMAIN, r"there is no 'rrr'; did you mean `rr`\?"),
    ('[host]\nuntil = 200\n' + DOMAIN, "key 'until': must be a time up to 3600s"),
    ('[host]\nuntil = "3601s"\n' + DOMAIN, "must be a time up to 3600s"),
    ('[host]\nuntil = "-1s"\n' + DOMAIN, "must be a time up to 3600s"),
    ('[host]\nquantum = 0\n' + DOMAIN, "key 'quantum': must be a whole number, 1 to 1000000000"),
    ('[host.options]\nslice_us = [1]\n' + DOMAIN, "slice_us must be a number"),
    ('[host.options]\nslice_us = nan\n' + DOMAIN, "slice_us must be a number"),
    ('[host.options]\nslice_us = 1e300\n' + DOMAIN, "slice_us must be a number"),
    ('[host.options]\n"--" = 1\n' + DOMAIN, "'--' is not an option's name"),
    ("", r"there is no \[\[domain\]\]"),
    ("domain = 1\n", r"'domain' must be written \[\[domain\]\]"),
    ("domain = [1]\n", r"\[\[domain\]\] 1: must be a table, not 1"),
    (DOMAIN + "nmae = 1\n", r"\[\[domain\]\] 1 \('a'\): unknown key 'nmae'; did you mean `name`"),
    ('[[domain]]\nkernel = "hello"\n', r"\[\[domain\]\] 1: key 'name' is missing; give it"),
    ('[[domain]]\nname = "a"\n', "key 'kernel' is missing"),
    ('[[domain]]\nname = "a b"\nkernel = "hello"\n', "key 'name': must be a name of letters"),
    ('[[domain]]\nname = "\\u001b[2J"\nkernel = "hello"\n', r"\[\[domain\]\] 1 \('.x1b\[2J'\)"),
    (DOMAIN + 'engine = "trpa"\n', r"there is no 'trpa'; did you mean `trap`\?"),
    (DOMAIN + 'engine = "./x.py"\n', "key 'engine': there is no './x.py'"),
    (DOMAIN + 'mem = "1K"\n', "key 'mem': must be a size"),
    ('[host]\nmem = "2G"\n' + DOMAIN + 'engine = "pv"\n', "a host with pv has at most 1024 MiB"),
    (DOMAIN + "weight = 0\n", "key 'weight': must be a whole number, 1 to 65536, not 0"),
    (DOMAIN + "cap = 101\n", "key 'cap': must be a whole number, 0 to 100"),
    (DOMAIN + "pins = [1]\n", "key 'pins': must be a whole number, 0 to 0, not 1"),
    (DOMAIN + "pins = 0\n", "key 'pins': must be an array of numbers, 0 to 0"),
    (DOMAIN + 'start = "soon"\n', 'not \'soon\'; or "never": an event starts it'),
    (DOMAIN + 'clock = "sun"\n', "key 'clock': there is no 'sun'; there are cycles, icount"),
    (DOMAIN + "count = 0\n", "key 'count': must be a whole number, 1 to 256"),
    (DOMAIN + "count = 200\n" + DOMAIN.replace('"a"', '"b"') + "count = 57\n",
     "there are more than 256 domains"),
    (DOMAIN + DOMAIN, r"\[\[domain\]\] 2 \('a'\): there is a domain 'a' already"),
    (DOMAIN + "count = 2\n" + DOMAIN.replace('"a"', '"a-1"'), "there is a domain 'a-1' already"),
    (DOMAIN + 'input = "x"\ninput_file = "y"\n', "key 'input_file': excludes 'input'"),
    (DOMAIN + 'input_file = "y"\n', "key 'input_file': .*y: no such file"),
    (DOMAIN + 'input_file = "/dev/zero"\n', "key 'input_file': /dev/zero: is a device"),
    (DOMAIN + "demo = true\n", "key 'demo': needs a kernel of the catalogue that has a script"),
    (DOMAIN + "demo = 1\n", "key 'demo': must be true or false, not 1"),
    (DOMAIN + '[[event]]\nat = "1ms"\ndomain = "a"\ndo = "stop"\n',
     r"\[\[event\]\] 1, key 'do': there is no 'stop'"),
    (DOMAIN + '[[event]]\nat = "1ms"\ndomain = "b"\ndo = "kill"\n',
     "key 'domain': no domain is called 'b'; there are a"),
    (DOMAIN + '[[event]]\ndomain = "a"\ndo = "kill"\n', "key 'at' is missing"),
    (DOMAIN + '[[event]]\nat = "1ms"\ndomain = "a"\ndo = "set"\n', "give weight, cap or pins"),
    (DOMAIN + '[[event]]\nat = "1ms"\ndomain = "a"\ndo = "kill"\nweight = 3\n',
     'key \'weight\': is for do = "set", not for do = "kill"'),
    ("= =", r"s\.toml: is not TOML"),
    ("x = " + "[" * 100_000, "is nested too deeply|is not TOML"),
    ("x = " + "9" * 5000, "is not TOML"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), WRONG)
def test_what_is_wrong_is_said_with_its_place(made, text, reason):
    with pytest.raises(ScenarioError, match=reason) as error:
        made(text)
    assert "s.toml: " in str(error.value)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 600


def test_a_file_and_its_tables_are_limited(made):
    with pytest.raises(Unreadable, match="is larger than 256 KB"):
        made("#" * (MAX_FILE + 1))
    rows = "".join(f'[[domain]]\nname = "a{n}"\nkernel = "hello"\n' for n in range(MAX_DOMAINS + 1))
    with pytest.raises(ScenarioError, match=r"there are 257 \[\[domain\]\]; at most 256 can be"):
        made(rows)
    event = '[[event]]\nat="1s"\ndomain="a"\ndo="kill"\n'
    with pytest.raises(ScenarioError, match=r"there are 4097 \[\[event\]\]"):
        made(DOMAIN + event * (MAX_EVENTS + 1))


@pytest.mark.parametrize(("kernel", "reason"), [
    ("toyx", r"no guest and no file is called 'toyx'; did you mean `toyix`\?"),
    ("none.elf", "none.elf: no such file"),
    ("x" * 300, "no guest and no file is called 'xxx"),
    ("x" * 300 + ".elf", "File name too long"),
    ("/dev/zero", "is a device"),
    ("s.toml", "is not an ELF file; a source needs the suffix .S"),
    (".", "is a directory"),
])  # fmt: skip
def test_a_kernel_that_cannot_be_used_is_refused(made, kernel, reason):
    scenario = made(DOMAIN.replace("hello", kernel))
    with pytest.raises(ScenarioError, match=rf"\[\[domain\]\] 1 \('a'\), key 'kernel': .*{reason}"):
        kernels(scenario)


def test_a_kernel_that_is_not_patched_is_refused_for_pv(made):
    scenario = made(DOMAIN.replace("hello", "spin.S") + 'engine = "pv"\n')
    with pytest.raises(ScenarioError, match="is not patched for `pv`"):
        kernels(scenario)


def test_a_source_includes_nothing_from_outside_its_folder(made, tmp_path):
    from asm.errors import AsmErrors

    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "secret.inc").write_text("secret\n")
    (inner / "k.S").write_text('.include "../secret.inc"\n')
    scenario = made(DOMAIN.replace("hello", "inner/k.S"))
    with pytest.raises(AsmErrors, match=r"outside|confined") as error:
        kernels(scenario)
    assert "secret\n" not in str(error.value)


@pytest.mark.parametrize(("text", "reason"), [
    ("[host.options]\nslice = 3\n" + DOMAIN,
     r"\[host\]: the scheduler 'rr' has no option slice; did you mean `slice_us`\?"),
    ('[host]\ncost = "modren"\n' + DOMAIN, r"key 'cost': .*did you mean `modern`\?"),
    ('[host]\nmem = "8M"\n' + DOMAIN, r"\[\[domain\]\] 1 \('a'\): 'a' cannot be made: it needs"),
])  # fmt: skip
def test_what_no_host_can_have_is_refused(hosted, text, reason):
    with pytest.raises(ScenarioError, match=reason):
        hosted(text)


def test_a_table_stands_for_several_domains_and_an_event_for_all_of_them(made):
    scenario = made(DOMAIN + 'count = 3\n[[event]]\nat = "1us"\ndomain = "a"\ndo = "kill"\n'
                    '[[event]]\nat = "2us"\ndomain = "a-1"\ndo = "kill"\n')  # fmt: skip
    assert [domain.name for domain in scenario.domains] == ["a-0", "a-1", "a-2"]
    assert [event.domains for event in scenario.events] == [("a-0", "a-1", "a-2"), ("a-1",)]
    assert [event.at for event in scenario.events] == [1000, 2000]

VALUES = st.one_of(
    st.integers(-3, 300), st.integers(), st.floats(), st.booleans(), st.text(max_size=8),
    st.sampled_from(["a", "a-0", "hello", "trap", "pv", "rr", "16M", "1ms", "never", *Do]),
    st.lists(st.integers(-1, 9), max_size=3), st.dictionaries(st.text(max_size=3), st.integers()),
)  # fmt: skip


def table(*keys, **right):
    """A table that is right, but for one of these keys at times."""
    other = st.dictionaries(st.sampled_from(keys), VALUES, max_size=1)
    return st.builds(lambda given: right | given, st.one_of(st.just({}), other))


@settings(max_examples=300, deadline=None)
@given(
    host=table("harts", "mem", "scheduler", "options", "cost", "quantum", "until", harts=2),
    domains=st.lists(table("name", "kernel", "engine", "mem", "weight", "cap", "pins", "start",
                           "input", "demo", "clock", "count", "options", name="a",
                           kernel="hello"), max_size=3),
    events=st.lists(table("at", "domain", "do", "weight", "cap", "pins", at="1ms", domain="a",
                          do="kill"), max_size=2),
)  # fmt: skip
def test_whatever_is_in_the_tables_is_read_or_refused(tmp_path_factory, host, domains, events):
    path = tmp_path_factory.getbasetemp() / "s.toml"
    found, reason = None, ""
    try:
        found = checked(path, {"host": host, "domain": domains, "event": events})
    except ScenarioError as error:
        reason = str(error)
    assert reason.isprintable()
    assert len(reason) < 800
    if found is None:
        return
    assert 1 <= len(found.domains) <= MAX_DOMAINS
    names = [domain.name for domain in found.domains]
    assert len(names) == len(set(names))
    for event in found.events:
        assert set(event.domains) <= set(names)


@pytest.mark.parametrize("name", catalogue.shipped())
def test_what_is_shipped_is_right(name):
    scenario = read(catalogue.find(name))
    assert scenario.summary == catalogue.summary(name)
    assert len(kernels(scenario)) == len(scenario.domains)
