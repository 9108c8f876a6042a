"""Spec files: what is read, and what is refused with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from otel_kit.collector.load import environments, load_spec
from otel_kit.errors import InputError
from tests.parts import ROOT

MINIMAL = """\
environment: test
collector:
  version: 0.158.0
  distribution: local
tiers:
  node: {memory: 256Mi}
"""


def spec_file(folder: Path, text: str) -> Path:
    (folder / "test.yaml").write_text(text, encoding="utf-8")
    return folder


def test_the_shipped_specs_are_found_and_differ_where_they_should() -> None:
    folder = ROOT / "collector"
    assert environments(folder) == ["dev", "local", "prod", "staging"]
    local, prod = (load_spec(folder, name) for name in ("local", "prod"))
    assert local.redact == prod.redact
    assert (local.kubernetes, local.sampling.keeps_all) == (None, True)
    assert prod.sampling.percent.plain() == 10
    assert str(prod.sampling.slower_than) == "1s"
    assert prod.tiers.gateway is not None
    assert (prod.tiers.gateway.replicas, prod.tiers.gateway.queue) == (3, 4 << 30)


def test_a_minimal_spec_takes_the_defaults(tmp_path: Path) -> None:
    spec = load_spec(spec_file(tmp_path, MINIMAL), "test")
    assert (spec.sampling.keeps_all, str(spec.span_metrics.every), len(spec.extra)) == (True, "15s", 0)


def test_extends_is_merged_key_by_key_and_lists_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("redact: {keys: [a, b], sql: false}\nsampling: {percent: 5}\n")
    spec = load_spec(spec_file(tmp_path, f"extends: base.yaml\n{MINIMAL}redact: {{keys: [c]}}\n"), "test")
    assert (spec.redact.keys, spec.redact.sql, spec.sampling.percent.plain()) == (("c",), False, 5)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (MINIMAL + "sampling: {percnt: 5}\n", 7, "unknown key 'percnt'; did you mean 'percent'?"),
        (MINIMAL + "redakt: {}\n", 7, "unknown key 'redakt'; did you mean 'redact'?"),
        (MINIMAL + "xyz: 1\n", 7, "unknown key 'xyz'; known here: environment"),
        (MINIMAL + "environment: other\n", 7, "the key 'environment' was already given in line 1"),
        (MINIMAL + "sampling: {percent: 101}\n", 7, "a percentage from 0 to 100 is needed, not 101"),
        (MINIMAL + "sampling:\n  decision_wait: 5\n", 8, "a duration such as 200ms, 15s or 5m is needed"),
        (MINIMAL + "redact:\n  sql: 'yes'\n", 8, "true or false is needed here, not 'yes'"),
        (MINIMAL + "redact:\n  keys: token\n", 8, "a list is needed here"),
        (MINIMAL + "redact:\n  values: [card_numbr]\n", 8, "did you mean 'card_number'?"),
        (MINIMAL + "redact:\n  keys: ['']\n", 8, "a key to redact is a word such as api_key, not ''"),
        (MINIMAL + "redact:\n  values: ['a(']\n", 8, "'a(' is no regex"),
        (MINIMAL + "redact:\n  values: ['(?<=a)b+']\n", 8, "RE2 has no '(?<='"),
        (MINIMAL + "redact:\n  values: ['(a)\\1']\n", 8, "RE2 has no '\\1'"),
        (MINIMAL + "redact:\n  values: ['x*']\n", 8, "also matches where there is nothing"),
        (MINIMAL + "scrape: {keep: ['a(?!b)']}\n", 7, "RE2 has no '(?!'"),
        (MINIMAL + "scrape: {kube_state_metrics: nowhere}\n", 7, "must be host:port"),
        (MINIMAL + "drop: {http_paths: ['/a\"b']}\n", 7, "no HTTP path is written"),
        (MINIMAL + "datadog: {site: datadog.eu}\n", 7, "did you mean 'datadoghq.eu'?"),
        (MINIMAL + "datadog:\n  site: https://app.datadoghq.eu/\n", 8, "did you mean 'datadoghq.eu'?"),
        (MINIMAL + "datadog: {site: app.us5.datadoghq.com}\n", 7, "did you mean 'us5.datadoghq.com'?"),
        (MINIMAL + "datadog: {site: ddog-gov.com}\n", 7, "'ddog-gov.com' takes no OTLP"),
        (MINIMAL + "datadog: {api_key: 'my key'}\n", 7, "must be the name of a secret"),
        (MINIMAL + "kubernetes: {cluster: qa cluster!}\n", 7, "a name such as shop-prod, not 'qa cluster!'"),
        (MINIMAL + "kubernetes:\n  cluster: c\n  namespace: Bad Name!\n", 9, "not 'Bad Name!'"),
        (MINIMAL.replace("256Mi", "1Ki"), 6, "memory must be 64Mi or more, not 1Ki"),
        (MINIMAL.replace("local\n", "kid\n"), 4, "no distribution 'kid'; did you mean 'kit'?"),
        (MINIMAL.replace("local\n", "local\n  image: a b\n"), 5, "image must be an image"),
        (MINIMAL + "extra: [{component: debug, tier: node, signals: [logs], config: [a]}]\n", 7, "a mapping"),
        (
            MINIMAL + "extra:\n- component: otlp_http/x\n  tier: node\n  signals: [logs]\n"
            "  config: {sending_queue: abc}\n",
            11,
            "sending_queue must be a mapping",
        ),
        (MINIMAL + "drop: {http_paths: [healthz]}\n", 7, "an HTTP path begins with /"),
        (MINIMAL + "kubernetes: {}\n", 7, "the key 'cluster' is missing"),
        (MINIMAL + "kubernetes: {cluster: c, cloud: aws}\n", 7, "cloud must be gcp or none, not 'aws'"),
        (MINIMAL + "sampling: [5]\n", 7, "a mapping of 'key: value' is needed here"),
        (MINIMAL.replace("256Mi", "256MB"), 6, "a size such as 256Mi or 2Gi is needed, not '256MB'"),
        (MINIMAL.replace("{memory: 256Mi}", "{memory: 256Mi, cpu: lots}"), 6, "cpu must be a quantity"),
        (MINIMAL.replace("{memory: 256Mi}", "{memory: 1Gi, replicas: 0}"), 6, "replicas must be 1 or more"),
        ("a: [1\n", 2, "broken YAML"),
        (
            "extends: nowhere.yaml\n" + MINIMAL,
            1,
            "extends names a file that is not there: 'nowhere.yaml'; it is looked for in /",
        ),
        ("extends: [a]\n" + MINIMAL, 1, "extends needs the name of one file"),
        ("extends: test.yaml\n" + MINIMAL, 1, "extends goes round in a circle"),
        (MINIMAL.replace("environment: test", "environment: prod"), 1, "but the file is named test.yaml"),
        (
            MINIMAL.replace("environment: test", "environment: Test!"),
            1,
            "environment must be a lower-case name",
        ),
        (MINIMAL + "sampling: {percent: 5}\nkubernetes: {cluster: c}\n", 7, "needs the tier gateway"),
        (MINIMAL + "1: x\n", 7, "unknown key '1'"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    with pytest.raises(InputError) as caught:
        load_spec(spec_file(tmp_path, text), "test")
    assert str(caught.value).startswith(f"{tmp_path}/test.yaml:{line}: "), caught.value
    assert says in str(caught.value)


def test_an_error_in_what_is_extended_names_that_file(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("# a comment\nsampling: {percent: lots}\n")
    with pytest.raises(InputError, match=r"base\.yaml:2: a percentage"):
        load_spec(spec_file(tmp_path, f"extends: base.yaml\n{MINIMAL}"), "test")


def test_a_tier_of_kubernetes_needs_the_section(tmp_path: Path) -> None:
    text = MINIMAL + "  gateway: {memory: 1Gi}\n"
    with pytest.raises(InputError, match="need a section 'kubernetes'"):
        load_spec(spec_file(tmp_path, text), "test")


def test_an_unknown_environment_lists_those_that_there_are(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"has no prod\.yaml; its environments are test; name one"):
        load_spec(spec_file(tmp_path, MINIMAL), "prod")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"empty: this folder has no prod\.yaml, nor any other spec"):
        load_spec(tmp_path / "empty", "prod")
    with pytest.raises(InputError, match=r"nowhere: there is no such folder of specs; .* --spec-dir"):
        load_spec(tmp_path / "nowhere", "prod")


def test_a_circle_is_found_whatever_the_files_are_called_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "specs"
    folder.mkdir()
    with pytest.raises(InputError, match="goes round in a circle"):
        load_spec(spec_file(folder, f"extends: ../specs/test.yaml\n{MINIMAL}"), "test")


#: What nobody should ever paste into a spec.
SECRETS = (
    "0123456789abcdef0123456789abcdef",
    "Bearer abc.def",
    "https://ada:hunter2@proxy.example",
    "eyJhbGciOi.eyJzdWIi.abc",
)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "text",
    [
        "datadog: {api_key: 'SECRET'}\n",
        "datadog: {secret_store: 'SECRET'}\n",
        "kubernetes: {cluster: 'SECRET'}\n",
        "redact: {values: ['SECRET']}\n",
        "sampling: {percent: 'SECRET'}\n",
        "extra: [{component: debug, tier: node, signals: [logs], config: {a: [{b: 'SECRET'}]}}]\n",
    ],
)
def test_a_secret_is_refused_wherever_it_stands_and_never_repeated(
    tmp_path: Path, text: str, secret: str
) -> None:
    with pytest.raises(InputError, match=r"test\.yaml:7: a secret stands here in clear") as caught:
        load_spec(spec_file(tmp_path, MINIMAL + text.replace("SECRET", secret)), "test")
    assert secret not in str(caught.value)


def test_a_regex_that_the_collector_reads_is_taken(tmp_path: Path) -> None:
    patterns = [r"(?i)\bfoo[?+(]{2}(?P<n>a|b)+?\d{2,3}", r"[]a(?=]+\(\?=x", r"a\\1", r"(?:x)(?i:y)+?"]
    text = MINIMAL + yaml.safe_dump({"redact": {"values": patterns}})
    assert load_spec(spec_file(tmp_path, text), "test").redact.values == tuple(patterns)
