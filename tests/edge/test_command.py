"""``wattproof edge`` as people call it: settings, key, status, entries, the page."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from socket import create_connection
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from tests.support.refusals import refused
from typer.main import get_command

from wattproof.edge.changes import enter_factor
from wattproof.edge.command import main
from wattproof.edge.config import read_config
from wattproof.edge.factors import Choice
from wattproof.edge.keyfile import make_key, read_key
from wattproof.edge.page import MAX_REQUESTS, Page
from wattproof.edge.queue import Queue
from wattproof.edge.state import EnteredFactor
from wattproof.edge.status import status_of

ROOT = Path(__file__).parents[2]
NOW_S = 1_790_000_000
SETTINGS = """
[node]
id = "m1"
owner = "plant"
quantity = "electricity.import"
ledger = "{ledger}"
key = "node.key"
most_per_hour = 10_000

[source]
kind = "http"
url = "http://127.0.0.1:9/meter"
path = "/register"
unit = "kWh"
mode = "register"

[send]
url = "http://127.0.0.1:9"
timeout_s = 1
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "node.toml"
    path.write_text(SETTINGS.format(ledger="ab" * 32), encoding="utf-8")
    return path


Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """Run one command line; exit code, output, errors."""

    def call_(*arguments: object, lang: str = "en") -> tuple[int, str, str]:
        monkeypatch.setenv("WATTPROOF_LANG", lang)
        capsys.readouterr()
        code: object = 0
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code or 0
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        assert isinstance(code, int)
        return code, said.out, said.err

    return call_


@pytest.mark.parametrize(
    ("old", "new", "code", "word"),
    [
        ("[node]", "[node", "edge.config.toml", ""),
        ('id = "m1"', 'id = "m 1"', "edge.config.setting", "[node] id"),
        ('id = "m1"', "", "edge.config.key", "`id`"),
        ("key =", "keys =", "edge.config.key", "`keys`"),
        ("electricity.import", "tea", "edge.config.setting", "quantity"),
        ("electricity.import", "Power", "edge.config.setting", "electricity"),
        ("ab" * 32, "ab", "edge.config.key", "ledger"),
        ("most_per_hour = 10_000", "interval_s = 0", "edge.config.key", "interval_s"),
        ("most_per_hour = 10_000", 'zone = "Mars"', "edge.config.setting", "zone"),
        ('url = "http://127.0.0.1:9"\n', "", "edge.config.setting", "[send]"),
        ('url = "http://127.0.0.1:9"\n', 'url = "ftp://x"\n', "edge.config.setting", "http"),
        ('kind = "http"', 'kind = "tea"', "edge.source.kind", "modbus"),
        ("timeout_s = 1", 'timeout_s = 1\n[factor]\nby = "x"', "edge.config.setting", "[factor]"),
        ("timeout_s = 1", 'timeout_s = 1\n[display]\nto = "file"', "edge.config.setting", "path"),
        ("timeout_s = 1", "timeout_s = 1\n[lamp]\npin = 99", "edge.config.key", "pin"),
    ],
)
def test_wrong_settings_name_the_key(
    config: Path, call: Call, old: str, new: str, code: str, word: str
) -> None:
    text = config.read_text(encoding="utf-8")
    assert old in text
    config.write_text(text.replace(old, new, 1), encoding="utf-8")
    refused_code, _, said = call("status", config)
    assert refused_code == 1
    assert f"[{code}]" in said
    assert word in said
    assert re.search("[\u4e00-\u9fff]", call("status", config, lang="zh")[2])


def test_no_settings_file(tmp_path: Path, call: Call) -> None:
    code, out, _ = call("run", tmp_path / "none.toml", "--json")
    assert code == 1
    assert json.loads(out)["error"]["code"] == "edge.config.missing"


def test_a_key_is_made_once_for_one_user_alone(config: Path, call: Call) -> None:
    code, out, _ = call("key", config, "--json")
    made = json.loads(out)
    path = config.parent / "node.key"
    assert (code, made["made"], stat.S_IMODE(path.stat().st_mode)) == (0, True, 0o600)
    again = json.loads(call("key", config, "--json")[1])
    assert (again["public"], again["made"]) == (made["public"], False)
    refused("edge.key.exists", lambda: make_key(path))
    path.chmod(0o644)
    assert "[edge.key.mode]" in call("key", config)[2]
    path.chmod(0o600)
    path.write_text("no key\n")
    refused("edge.key.damaged", lambda: read_key(path))
    refused("edge.key.missing", lambda: read_key(path.with_name("none")))


def test_factor_and_status(config: Path, call: Call) -> None:
    call("key", config)
    entered = ("factor", config, "--by", "badge-7", "--id", "cn-grid-2023-national@1", "--json")
    code, out, _ = call(*entered)
    assert code == 0
    assert json.loads(out)["value_ug"] == 530_600
    code, out, _ = call("status", config, "--json")
    found = json.loads(out)
    assert (code, found["waiting"], found["faults"], found["reading"]) == (0, 1, [], None)
    assert found["next_factor"]["factor"] == "cn-grid-2023-national@1"
    assert "待发送：1" in call("status", config, lang="zh")[1]
    assert "[edge.command.one_of]" in call("factor", config, "--by", "b")[2]
    absurd = call("factor", config, "--by", "b", "--value", "53")
    assert (absurd[0], "[core.factor_absurd]" in absurd[2]) == (1, True)


ORDER = '[[pay]]\nto = "landlord"\n'


@pytest.mark.parametrize(
    ("order", "code", "word"),
    [
        ('[[pay]]\namount = "3"\nevery = "day"', "edge.config.setting", "to_device"),
        (ORDER + 'to_device = "m2"\nper_kwh = "1"', "edge.config.setting", "to_device"),
        ('[[pay]]\nto_device = "m1"\nper_kwh = "1"', "edge.config.setting", "other device"),
        (ORDER + 'amount = "3.00"', "edge.config.setting", "[[pay]] 1: An amount needs"),
        (ORDER, "edge.config.setting", "per_kwh"),
        (ORDER + 'per_kwh = "1"\namount = "1"\nevery = "day"', "edge.config.setting", "one price"),
        (ORDER + 'per_kwh = "1"\nper_m3 = "1"', "edge.config.setting", "one price"),
        (ORDER + 'amount = "3.005"\nevery = "day"', "edge.config.setting", "two places"),
        (ORDER + 'amount = "-3"\nevery = "day"', "edge.config.setting", "more than 0"),
        (ORDER + 'amount = "NaN"\nevery = "day"', "edge.config.setting", "NaN"),
        (ORDER + 'amount = "1e99"\nevery = "day"', "edge.config.setting", "1E+99"),
        (ORDER + 'amount = "three"\nevery = "day"', "edge.config.key", "decimal"),
        (ORDER + 'amount = "3"\nevery = "week"', "edge.config.key", "week"),
        (ORDER + 'amount = "3"\neach = "day"', "edge.config.key", "each"),
        (ORDER + 'per_kwh = "0"', "edge.config.setting", "not a price"),
        (ORDER + 'per_kwh = "0.000001"', "edge.config.setting", "five places"),
        (ORDER + 'per_kwh = "10000.01"', "edge.config.setting", "10000"),
        (ORDER + 'per_m3 = "4"', "edge.config.setting", "m3"),
        (ORDER + 'per_kwh = "1"\nfrom = "2026-11-20T10:00"', "edge.config.setting", "beginning"),
        (ORDER + 'per_kwh = "1"\nuntil = "soon"', "edge.config.setting", "soon"),
        (ORDER + 'per_kwh = "1"\nasset = "C N Y"', "edge.config.setting", "[[pay]] 1"),
        (ORDER + f'per_kwh = "1"\nmemo = "{"x" * 33}"', "edge.config.key", "memo"),
        (2 * (ORDER + 'per_kwh = "1"\n'), "edge.config.setting", "[[pay]] 2: Two orders"),
    ],
)
def test_wrong_orders_name_what_is_wrong(
    config: Path, call: Call, order: str, code: str, word: str
) -> None:
    config.write_text(config.read_text(encoding="utf-8") + order, encoding="utf-8")
    refused_code, _, said = call("status", config)
    assert (refused_code, f"[{code}]" in said) == (1, True)
    assert word in said
    assert re.search("[\u4e00-\u9fff]", call("status", config, lang="zh")[2])


def test_prices_and_amounts_are_exact_however_they_are_written(config: Path) -> None:
    orders = (
        '[[pay]]\nto = "a"\namount = 3\nevery = "day"\n'
        '[[pay]]\nto = "b"\namount = 0.07\nevery = "hour"\n'
        '[[pay]]\nto = "c"\nper_kwh = 0.12345\n'
    )
    config.write_text(config.read_text(encoding="utf-8") + orders, encoding="utf-8")
    found = read_config(config).orders
    assert [(order.fen, order.ufen, order.every) for order in found] == [
        (300, 0, "day"), (7, 0, "hour"), (0, 12_345, "day"),
    ]  # fmt: skip


def test_pay_queues_a_payment_and_status_shows_it(config: Path, call: Call) -> None:
    call("key", config)
    paid = ("pay", config, "--to", "landlord", "--amount", "12.50", "--memo", "key deposit")
    code, out, _ = call(*paid, "--json")
    made = json.loads(out)
    assert (code, made["fen"], made["state"], made["number"]) == (0, 1_250, "waiting", 1)
    code, out, _ = call("pay", config, "--to-device", "charger", "--amount", "3", lang="zh")
    assert (code, out.startswith("付款 2：3.00 元 → charger 待发送")) == (0, True)
    out = call("status", config)[1]
    assert "Waiting: 2" in out
    assert "Payment: 12.50 CNY to landlord (key deposit): waiting to be sent" in out
    status = json.loads(call("status", config, "--json")[1])
    assert [each["fen"] for each in status["payments"]] == [300, 1_250]
    call("refused", config, "--skip")
    assert "付款：12.50 元 → landlord (key deposit): 被拒绝" in call("status", config, lang="zh")[1]
    assert "pay 12.50 CNY landlord" in call("refused", config)[1]


@pytest.mark.parametrize(
    "amount",
    ["0", "0.00", "-1", "1.005", "1e2", "1,50", "NaN", "٣", " 1", "1 ", "", "90071992547409.93"],
)
def test_only_exact_amounts_are_paid(config: Path, call: Call, amount: str) -> None:
    call("key", config)
    code, _, said = call("pay", config, "--to", "landlord", "--amount=" + amount)
    assert (code, "[edge.pay.amount]" in said) == (1, True)
    code, _, said = call("pay", config, "--to", "a", "--to-device", "b", "--amount", "1")
    assert (code, "[edge.command.one_of]" in said) == (1, True)


def test_what_was_refused_is_kept_until_a_person_decides(config: Path, call: Call) -> None:
    call("key", config)
    call("factor", config, "--by", "b", "--value", "0.5")
    rows = json.loads(call("refused", config, "--skip", "--json")[1])
    assert [(row["code"], row["what"].split()[0]) for row in rows] == [("edge.skipped", "factor")]
    number = str(rows[0]["position"])
    assert json.loads(call("refused", config, "--again", number, "--json")[1]) == []
    assert json.loads(call("status", config, "--json")[1])["waiting"] == 1
    call("refused", config, "--skip")
    number = str(json.loads(call("refused", config, "--json")[1])[0]["position"])
    assert json.loads(call("refused", config, "--forget", number, "--json")[1]) == []
    assert "[edge.command.refused]" in call("refused", config, "--forget", number)[2]


def test_swap_read_and_enrol_say_what_is_wrong(config: Path, call: Call) -> None:
    call("key", config)
    assert "[edge.command.one_of]" in call("swap", config)[2]
    assert "[edge.not_held]" in call("swap", config, "--same-meter")[2]
    code, out, _ = call("swap", config, "--opening", "5", "--unit", "kWh", "--json")
    assert (code, json.loads(out)["register"]) == (0, 5_000)
    assert call("read", config)[0] == 2
    code, _, said = call("enrol", config)
    assert (code, "[edge.http.no_answer]" in said) == (2, True)


def test_the_edge_is_listed_among_the_commands() -> None:
    from wattproof.cli.app import make_app
    from wattproof.node import ROOMS, host

    commands = getattr(get_command(make_app(host(), ROOMS)), "commands")  # noqa: B009
    assert set(commands["edge"].commands) == {
        "clock", "dial", "enrol", "factor", "key", "pay", "read", "refused", "run", "status",
        "swap",
    }  # fmt: skip


def test_the_edge_starts_without_the_rest_of_the_house(config: Path) -> None:
    script = (
        "import sys; sys.argv = ['wattproof', 'edge', 'status', sys.argv[1]]\n"
        "from wattproof.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit: pass\n"
        "rooms = {name.split('.')[1] for name in sys.modules if name.startswith('wattproof.')}\n"
        "heavy = {'numpy', 'litestar', 'duckdb', 'jinja2'} & set(sys.modules)\n"
        "print(sorted(rooms), sorted(heavy))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(config)], capture_output=True, text=True, check=True,
        cwd=ROOT,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "['__main__', 'core', 'edge', 'keys'] []"


@pytest.fixture
def page(config: Path) -> Iterator[tuple[Page, Queue]]:
    settings = read_config(config)
    key = make_key(config.parent / "node.key")
    with Queue(config.parent / "queue.sqlite") as queue:

        def enter(choice: Choice, *, by: str) -> EnteredFactor:
            return enter_factor(queue, settings, key, choice, by=by, now_s=NOW_S)

        served = Page(
            address="127.0.0.1", port=0, zone="UTC",
            status=lambda: status_of(settings, queue, now_s=NOW_S), enter=enter,
        )  # fmt: skip
        yield served, queue
        served.close()


def ask(page: Page, method: str, path: str, body: str = "", **headers: str) -> tuple[int, str]:
    connection = HTTPConnection(urlsplit(page.url).netloc, timeout=10)
    connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def test_the_page_in_both_languages(page: tuple[Page, Queue]) -> None:
    status, english = ask(page[0], "GET", "/")
    assert (status, "<script" in english) == (200, False)
    assert "Enter a factor" in english
    chinese = ask(page[0], "GET", "/", Accept_Language="zh-CN,zh;q=0.9")[1]
    assert "录入排放因子" in chinese
    assert "录入排放因子" in ask(page[0], "GET", "/?lang=zh")[1]
    told: Any = json.loads(ask(page[0], "GET", "/status.json")[1])
    assert told["node"] == "m1"
    assert ask(page[0], "GET", "/else")[0] == 404


def test_the_page_shows_payments_and_takes_none(
    page: tuple[Page, Queue], config: Path, call: Call
) -> None:
    served, _ = page
    assert "Payments" not in ask(served, "GET", "/")[1]
    call("pay", config, "--to", "landlord", "--amount", "12.50", "--memo", "<b>rent</b>")
    text = ask(served, "GET", "/")[1]
    assert "<h2>Payments</h2>" in text
    assert "12.50 CNY to landlord (&lt;b&gt;rent&lt;/b&gt;): waiting to be sent" in text
    assert "12.50 元 → landlord" in ask(served, "GET", "/?lang=zh")[1]
    assert json.loads(ask(served, "GET", "/status.json")[1])["payments"][0]["fen"] == 1_250
    form = urlencode({"token": served.token, "to": "thief", "amount": "1"})
    assert ask(served, "POST", "/pay", form)[0] == 404


def test_a_factor_is_entered_on_the_page_and_nowhere_else(page: tuple[Page, Queue]) -> None:
    served, queue = page
    form = {"token": served.token, "value": "0.5306", "unit": "kgCO2e/kWh", "by": "badge-7"}
    status, text = ask(served, "POST", "/factor", urlencode(form))
    assert (status, "Entered: 0.5306 kgCO2e/kWh" in text) == (200, True)
    assert queue.length == 1
    for wrong, headers in (
        ({"token": "guessed"}, {}),
        ({}, {"Origin": "http://elsewhere"}),
        ({}, {"Host": "elsewhere"}),
    ):
        status, text = ask(served, "POST", "/factor", urlencode({**form, **wrong}), **headers)
        assert (status, "edge.page.not_here" in text) == (403, True)
    status, text = ask(served, "POST", "/factor?lang=zh", urlencode({**form, "value": "53"}))
    assert (status, "core.factor_absurd" in text) == (400, True)
    assert ask(served, "POST", "/factor", "x" * 5_000)[0] == 403
    assert queue.length == 1


def test_only_so_many_ask_the_page_at_once(page: tuple[Page, Queue]) -> None:
    served, _ = page
    place = urlsplit(served.url)
    idle = [create_connection((place.hostname, place.port), 10) for _ in range(40)]
    answers = [connection.recv(1) for connection in idle[MAX_REQUESTS:]]
    assert set(answers) == {b""}  # closed without an answer
    for connection in idle:
        connection.close()
    for _ in range(100):  # those that were open are let go of
        try:
            assert ask(served, "GET", "/status.json")[0] == 200
            break
        except (ConnectionError, HTTPException):
            time.sleep(0.05)
    else:
        pytest.fail("the page does not answer any more")
