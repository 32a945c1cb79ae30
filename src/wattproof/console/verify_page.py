"""The page on which anybody checks a proof in the browser: served, and as one file to keep.

    GET /verify               the page, with its scripts as files
    GET /verify/offline.html  the same as a single file that needs neither server nor network

All are made from the same sources: ``templates/verify-body.html``, ``static/verify.js`` (the
check), ``static/verify-statement.js`` (of a settlement statement with its proofs),
``static/verify-page.js`` and ``static/verify.css``. In the console the page stands in the
frame (`router`); a node without a console serves it by itself (`verify_routes`). Script runs only
from files of ours, or, in the single file, where its hash is named; outside the frame no text can
become markup at all (trusted types).
"""

from __future__ import annotations

import base64
import hashlib
import re
from importlib.resources import files
from string import Template
from typing import Any, Final

from litestar import MediaType, Request, Response, Router, get
from litestar.di import NamedDependency
from markupsafe import Markup

from wattproof.console.assets import asset_url, assets
from wattproof.console.frame import Frame
from wattproof.console.static_files import serve_static
from wattproof.console.verify_words import verify_data
from wattproof.console.visitor import Visitor
from wattproof.core.errors import Lang
from wattproof.gateway.access import PUBLIC
from wattproof.gateway.language import language_of
from wattproof.gateway.ledger import LedgerFacts
from wattproof.ledger.machine import Machine

__all__ = ["SERVED_POLICY", "router", "served_page", "standalone_page", "verify_routes"]

TITLES: Final[dict[Lang, str]] = {"en": "Check a proof", "zh": "验证证明"}
SCRIPTS: Final = ("verify.js", "verify-statement.js", "verify-page.js")
"""The page's modules, in the order in which they are joined into one."""
LANGUAGE_TAGS: Final[dict[Lang, str]] = {"en": "en", "zh": "zh-Hans"}

_NO_MARKUP: Final = "require-trusted-types-for 'script'; trusted-types 'none'"
SERVED_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    + _NO_MARKUP
)
"""What the served page may load and do (Content-Security-Policy)."""


def served_page(lang: Lang, *, data: str) -> str:
    """The page with its style and scripts as files; `data` is what `verify_data` gives."""
    return _page(
        lang,
        data=data,
        head=f'<link rel="stylesheet" href="{asset_url("verify.css")}">',
        script=f'<script type="module" src="{asset_url("verify-page.js")}"></script>',
        body=_body(),
    )


def standalone_page(lang: Lang = "en", *, data: str | None = None) -> str:
    """The page as one file that works from disk, without a network; `data` as in `served_page`.

    Its language can be switched in it; it opens in `lang`.
    """
    style, script = _source("verify.css"), _joined_script()
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)};"
        f" img-src data:; base-uri 'none'; form-action 'none'; {_NO_MARKUP}"
    )
    return _page(
        lang,
        data=verify_data() if data is None else data,
        head=f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<style>{style}</style>",
        script=f'<script type="module">{script}</script>',
        body=_body().replace(" data-node>", ">", 1),
    )


@get("/verify", include_in_schema=False, opt=PUBLIC)
async def show_in_frame(
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    machine: NamedDependency[Machine],
    facts: NamedDependency[LedgerFacts],
) -> Response[Any]:
    """The page in the console's frame; it asks for proofs of this node's ledger."""
    data = Markup(verify_data(machine, ledger_id=facts.id))  # made to stand there
    return frame.page(visitor, "console/verify.html", data=data)


@get("/verify/offline.html", include_in_schema=False, opt=PUBLIC)
async def give_file(
    visitor: NamedDependency[Visitor],
    machine: NamedDependency[Machine],
    facts: NamedDependency[LedgerFacts],
) -> Response[str]:
    """The page as a file to be saved."""
    return _as_file(visitor.lang, verify_data(machine, ledger_id=facts.id))


def router() -> Router:
    """The routes in a node with a console."""
    return Router("/", route_handlers=[show_in_frame, give_file])


def verify_routes(machine: Machine | None = None, *, ledger_id: str = "") -> Router:
    """The routes, and ``/static/...``, of a node without a console.

    With `machine`, transactions are told in its words; with `ledger_id` (hex), proofs of that
    ledger are asked for unless the reader wants others.
    """
    data = verify_data(machine, ledger_id=ledger_id)

    @get("/verify", include_in_schema=False, opt=PUBLIC)
    async def show_page(request: Request[Any, Any, Any]) -> Response[str]:
        """The page, in the browser's language."""
        headers = {"Content-Security-Policy": SERVED_POLICY, "Vary": "Accept-Language"}
        page = served_page(_language(request), data=data)
        return Response(page, media_type=MediaType.HTML, headers=headers)

    @get("/verify/offline.html", include_in_schema=False, opt=PUBLIC)
    async def give_page(request: Request[Any, Any, Any]) -> Response[str]:
        """The page as a file to be saved."""
        return _as_file(_language(request), data)

    return Router("/", route_handlers=[show_page, give_page, serve_static])


def _as_file(lang: Lang, data: str) -> Response[str]:
    headers = {
        "Content-Disposition": 'attachment; filename="wattproof-verify.html"',
        "Vary": "Accept-Language, Cookie",
    }
    return Response(standalone_page(lang, data=data), media_type=MediaType.HTML, headers=headers)


def _page(lang: Lang, *, data: str, head: str, script: str, body: str) -> str:
    return Template(_template("verify-shell.html")).substitute(
        lang=LANGUAGE_TAGS[lang],
        title=TITLES[lang],
        title_en=TITLES["en"],
        title_zh=TITLES["zh"],
        head=head,
        body=body,
        data=data,
        script=script,
    )


def _body() -> str:
    return _template("verify-body.html")


def _template(name: str) -> str:
    template = files("wattproof.console").joinpath("templates", name)
    return template.read_text(encoding="utf-8")


def _source(name: str) -> str:
    return assets()[name].data.decode()


def _joined_script() -> str:
    """The modules as one: what one imports from those before it is simply there."""
    script = ""
    for at, name in enumerate(SCRIPTS):
        source = re.sub(
            r"^export (?=(async )?(class|const|function)\b)", "", _source(name), flags=re.M
        )
        source, imports = re.subn(
            r'^import \{[^}]*\} from "\./verify[a-z-]*\.js";\n', "", source, flags=re.M
        )
        assert imports == at, f"{name} imports each of those before it, once"
        script += f"\n{source}"
    assert not re.search(r"^(import|export)\b|</script|<!--", script, flags=re.M), (
        "cannot be inlined"
    )
    return script


def _hash(text: str) -> str:
    """A source expression that allows exactly this inline script or style (CSP level 3)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _language(request: Request[Any, Any, Any]) -> Lang:
    return language_of(request.headers.get("accept-language"))
