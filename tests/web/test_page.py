"""Every page is visited: it renders for people, says the same to programs, and holds nothing that acts."""

from __future__ import annotations

import ast
import json
import re
from html import unescape
from pathlib import Path

import pytest
from jinja2 import nodes
from starlette.testclient import TestClient

from hallmarked.web.app import create_app
from hallmarked.web.language import load_languages
from hallmarked.web.page.registry import PAGES
from hallmarked.web.render import Page, Renderer, twin
from tests.hubs import open_test_hub
from tests.web import example
from tests.web.conftest import Visit
from tests.web.example import MODEL
from tests.web.reading import check_document

RENDERER = Renderer(load_languages())
ADDRESSES: dict[str, tuple[str, ...]] = {
    "/": ("/",),
    "/search": ("/search", "/search?kind=dataset&search=emer&licence=cc-by-4.0", "/search?search=nothing%20fits"),
    "/search/passages": ("/search/passages",),
    "/models": ("/models?sort=likes",),
    "/datasets": ("/datasets",),
    "/spaces": ("/spaces",),
    "/{owner}": ("/acme", "/ada"),
    "/ledger": ("/ledger", "/ledger?before=3"),
    "/ledger/entry/{index}": ("/ledger/entry/0",),
    "/login": ("/login", "/login?wrong=1&next=//evil.example"),
    "/tos": ("/tos",),
    "/likes/{owner}": ("/likes/ada", "/likes/ben?p=1"),
    "/moderation": ("/moderation",),
    "/status": ("/status",),
    "/help": ("/help",),
    "/consent": ("/consent",),
    "/consent/data": ("/consent/data",),
    "/consent/request": ("/consent/request",),
    "/{owner}/{name}/discussions": (f"/{MODEL}/discussions", f"/{MODEL}/discussions?status=all"),
    "/{owner}/{name}/discussions/{number}": (f"/{MODEL}/discussions/1", f"/{MODEL}/discussions/2"),
    "/{owner}/{name}/access": (f"/{MODEL}/access", "/datasets/acme/emergency-notes/access"),
    "/{owner}/{name}/passages": ("/datasets/acme/emergency-notes/passages",),
    "/{owner}/{name}/review/{revision}": (f"/{MODEL}/review/main",),
    "/{owner}/{name}": (f"/{MODEL}", "/datasets/acme/emergency-notes", "/spaces/acme/triage-desk"),
    "/{owner}/{name}/card/{revision}": (f"/{MODEL}/card/first",),
    "/{owner}/{name}/tree/{revision}": (f"/{MODEL}/tree/main", f"/{MODEL}/tree/refs%2Fheads%2Fmain"),
    "/{owner}/{name}/tree/{revision}/{path:path}": (f"/{MODEL}/tree/main/docs",),
    "/{owner}/{name}/blob/{revision}/{path:path}": (
        f"/{MODEL}/blob/main/README.md",
        f"/{MODEL}/blob/first/config.json",
        f"/{MODEL}/blob/main/scaler.pkl",
        f"/{MODEL}/blob/main/docs/recall.png",
    ),
    "/{owner}/{name}/contexts": (f"/{MODEL}/contexts", "/spaces/acme/triage-desk/contexts"),
    "/{owner}/{name}/evidence": (f"/{MODEL}/evidence", "/spaces/acme/triage-desk/evidence"),
    "/{owner}/{name}/evidence/{revision}": (f"/{MODEL}/evidence/first",),
    "/{owner}/{name}/uses": (f"/{MODEL}/uses", "/spaces/acme/triage-desk/uses"),
    "/{owner}/{name}/uses/{revision}": (f"/{MODEL}/uses/first?context=default&context=publication",),
    "/{owner}/{name}/governance": (f"/{MODEL}/governance", "/datasets/acme/emergency-notes/governance"),
    "/{owner}/{name}/governance/{revision}": (f"/{MODEL}/governance/first",),
    "/{owner}/{name}/lineage": (f"/{MODEL}/lineage", "/datasets/acme/emergency-notes/lineage"),
    "/{owner}/{name}/lineage/{revision}": (f"/{MODEL}/lineage/first",),
    "/{owner}/{name}/claim/{revision}": (f"/{MODEL}/claim/first", f"/{MODEL}/claim/first?id=license"),
    "/{owner}/{name}/evaluated/{revision}": (f"/{MODEL}/evaluated/first?context=hospital_triage",),
    "/{owner}/{name}/profiles": (f"/{MODEL}/profiles",),
    "/{owner}/{name}/profiles/{framework}/{edition}": (
        f"/{MODEL}/profiles/nist-ai-600-1/final-2024-07",
        f"/{MODEL}/profiles/eu-gpai-documentation/2025-07",
    ),
    "/{owner}/{name}/commits/{revision}": (f"/{MODEL}/commits/main",),
    "/{owner}/{name}/commit/{revision}": (f"/{MODEL}/commit/main", f"/{MODEL}/commit/first"),
    "/{owner}/{name}/compare/{spec}": (f"/{MODEL}/compare/first..main",),
}
"""Addresses to visit, by the path of the page; ``first`` stands for the commit of that name."""
OWN = {
    "/settings": ("/settings",),
    "/settings/webhooks": ("/settings/webhooks",),
    "/settings/deleted": ("/settings/deleted",),
    "/organizations/{owner}": ("/organizations/acme",),
    "/{owner}/{name}/settings": (f"/{MODEL}/settings",),
    "/{owner}/{name}/record/{revision}": (
        f"/{MODEL}/record/main",
        *(f"/{MODEL}/record/main?kind={kind}" for kind in ("dispute", "withdrawal", "waiver", "stage", "decision")),
    ),
    "/{owner}/{name}/bring": (f"/{MODEL}/bring",),
}
"""Addresses that only their owner (``ada``) sees."""
ELSEWHERE = {"/consent/due", "/welcome", "/join", "/login/new", "/settings/webhooks/{id}"} | {
    "/{owner}/{name}/filed/{id}"
}
"""Pages that need a link or something of their own.

See ``test_form``, ``test_manage``, ``test_consent`` and ``test_file_page``.
"""
VISITS = [(path, address) for path, addresses in ADDRESSES.items() for address in addresses]


def settle(visit: Visit, address: str) -> str:
    return re.sub(r"\bfirst\b", visit.revisions["first"].oid, address)


def test_every_page_is_visited() -> None:
    """A page that no test visits fails here."""
    assert {page.path for page in PAGES} == ADDRESSES.keys() | OWN.keys() | ELSEWHERE


@pytest.mark.parametrize("user", ["", "ada", "ben"])
@pytest.mark.parametrize(("path", "address"), VISITS, ids=[address for _, address in VISITS])
def test_page(visit: Visit, path: str, address: str, user: str) -> None:
    """It answers, in the reader's language, with one heading, nothing inline and nothing from elsewhere."""
    for language in ("en", "es"):
        status, text = visit.get(settle(visit, address), user=user, language=language)
        assert status == 200
        check_document(text, language)


@pytest.mark.parametrize("address", [address for addresses in OWN.values() for address in addresses])
def test_own_page(visit: Visit, address: str) -> None:
    """What is for owners only answers to them, and sends others to sign in or away."""
    for language in ("en", "es"):
        status, text = visit.get(address, user="ada", language=language)
        assert status == 200
        check_document(text, language)
    assert visit.get(address)[0] in {401, 403}
    assert visit.get(address, user="ben")[0] in {200, 403}


@pytest.mark.parametrize(("path", "address"), VISITS, ids=[address for _, address in VISITS])
def test_twin(visit: Visit, path: str, address: str) -> None:
    """The page names its twin, which is the page's context as JSON."""
    status, text = visit.get(settle(visit, address), user="ada")
    alternate = re.search(r'<link rel="alternate" type="application/json" href="([^"]*)"', text)
    assert alternate
    status, body = visit.get(unescape(alternate[1]), user="ada", document=False)
    assert status == 200
    data = json.loads(body)
    page = next(page for page in PAGES if page.path == path)
    assert data.keys() == set(page.context.__dataclass_fields__)
    if "head" in data:
        assert data["head"]["name"] in {MODEL, "acme/emergency-notes", "acme/triage-desk"}


def test_twins_are_described(visit: Visit) -> None:
    """The API description has every twin, and says what each field means."""
    described = json.loads(visit.get("/openapi.json", document=False)[1])
    for page in PAGES:
        prefixes = page.kinds or [""]
        for prefix in prefixes:
            assert re.sub(r":\w+", "", twin(prefix + page.path)) in {re.sub(r":\w+", "", p) for p in described["paths"]}
    schemas = described["components"]["schemas"]
    for page in PAGES:
        address = re.sub(r":\w+", "", twin(next(iter(page.kinds or [""])) + page.path))
        answer = described["paths"][address]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        schema = schemas[answer["$ref"].rpartition("/")[2]]
        for name, field in schema["properties"].items():
            assert field.get("description") or "$ref" in field, (schema["title"], name)


def fields_used(template: str, seen: set[str]) -> set[str]:
    """Return the fields of ``page`` that a template and those it extends or includes read."""
    if template in seen:
        return set()
    seen.add(template)
    environment = RENDERER.environments["en"]
    source, _, _ = environment.loader.get_source(environment, template)  # type: ignore[union-attr]
    tree = environment.parse(source)
    used = {
        node.attr
        for node in tree.find_all(nodes.Getattr)
        if isinstance(node.node, nodes.Name) and node.node.name == "page"
    }
    for node in tree.find_all((nodes.Extends, nodes.Include, nodes.FromImport)):
        if isinstance(node.template, nodes.Const):
            used |= fields_used(node.template.value, seen)
    return used


@pytest.mark.parametrize("page", PAGES, ids=[page.path for page in PAGES])
def test_templates_and_contexts_agree(page: Page) -> None:
    """A template reads only what its context has, and the context has nothing that is not explained."""
    used = fields_used(page.template, set())
    assert used <= set(page.context.__dataclass_fields__)
    assert "head" in used or "head" not in page.context.__dataclass_fields__


MODULES = sorted((Path(__file__).parents[2] / "src" / "hallmarked" / "web" / "page").glob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=[path.name for path in MODULES])
def test_every_field_is_explained(path: Path) -> None:
    """Each field of each context is followed by a text that says what it means."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ClassDef) and any(getattr(d, "id", "") == "context" for d in node.decorator_list):
            assert ast.get_docstring(node), node.name
            for field, following in zip(node.body, [*node.body[1:], None], strict=True):
                if isinstance(field, ast.AnnAssign):
                    said = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
                    assert said, f"{node.name}.{ast.unparse(field.target)}"


def test_private_repositories_do_not_show(visit: Visit) -> None:
    """Somebody who may not see a repository gets the same answer as for one that is not there."""
    for user in ("", "ben"):
        for path in ("", "/tree/main", "/evidence", "/commits/main", "/blob/main/README.md"):
            hidden = visit.get(f"/ada/hidden{path}", user=user)
            missing = visit.get(f"/ada/nothing{path}", user=user)
            assert hidden[0] == missing[0] in {401, 404}
            assert hidden[1].replace("ada/hidden", "X") == missing[1].replace("ada/nothing", "X")
            assert visit.get(f"/ada/hidden{path or '/'}".rstrip("/"), user="ada")[0] in {200, 404}


def test_held_back_files_are_not_shown(visit: Visit) -> None:
    """The lines of a file of a revision that is held back are shown to its people and to nobody else."""
    for path in ("/blob/main/preprocess.py", "/commit/main"):
        assert "updates.example" in visit.get(f"/{MODEL}{path}", user="ada")[1]
        for user in ("", "ben"):
            status, text = visit.get(f"/{MODEL}{path}", user=user)
            assert status == 200
            assert "updates.example" not in text
            assert "held back" in text


def test_card_says_what_an_outsider_needs(visit: Visit) -> None:
    """State with reason and next step, claims with status and where to check, findings with what to do, the command."""
    page = check_document(visit.get(f"/{MODEL}")[1], "en")
    for expected in (
        "Held back",
        "it calls posix.system, which can run commands",
        "The newest revision that everybody can download is",
        "It has 1,312 parameters.",
        "Self-asserted",
        "Loading the file runs code that can harm",
        "What to do: Do not load the file.",
        "not meant to decide alone",
        "badge (badges.example)",
    ):
        assert expected in page.words, expected
    assert f"hallmarked verify http://127.0.0.1/{MODEL}@{visit.revisions['second'].oid} --key " in page.words


def test_findings_stand_in_their_line(visit: Visit) -> None:
    """The finding of a line follows that line."""
    text = visit.get(f"/{MODEL}/blob/main/preprocess.py", user="ada")[1]
    assert text.index('id="L7"') < text.index("A program is started") < text.index('id="L8"')


def test_comparison_shows_what_changed_in_the_evidence(visit: Visit) -> None:
    """New findings, other outcomes and other measurements stand before the changed lines."""
    page = check_document(visit.get(settle(visit, f"/{MODEL}/compare/first..main"), user="ada")[1], "en")
    words = page.words
    assert words.index("Findings that are new") < words.index("What changed in the files")
    assert "serialization" in words
    back = check_document(visit.get(settle(visit, f"/{MODEL}/compare/main..first"), user="ada")[1], "en")
    assert "Findings that are gone" in back.words


def test_errors_are_pages_for_people_only(visit: Visit) -> None:
    """A browser gets a document with a next step, a program gets JSON, each with the client's error code."""
    status, text = visit.get("/acme/nothing")
    assert status == 401
    assert "There is no repository of that name, or you may not see it." in check_document(text, "en").words
    assert json.loads(visit.get("/acme/nothing", document=False)[1])["error"]
    assert visit.get("/a/b/c/d/e")[0] == 404
    assert check_document(visit.get("/a/b/c/d/e", language="es")[1], "es")


def test_lists_say_what_cards_say(visit: Visit) -> None:
    """A list does not call fine what the card calls worth a look: warnings and contradicted claims show in it."""
    rows = json.loads(visit.get("/models.json", user="ada", document=False)[1])["rows"]
    model = next(row for row in rows if row["name"] == MODEL)
    head = json.loads(visit.get(f"/{MODEL}.json", user="ada", document=False)[1])["head"]
    assert head["errors"]
    assert model["finding"] == "error"
    assert model["contradicted"] == bool(head["contradicted"])
    assert model["languages"] == list(head["languages"])
    assert "Spanish" in visit.get("/models", user="ada")[1]


def test_an_empty_list_says_how_to_begin(tmp_path: Path) -> None:
    """Where nothing was published the page says how to, and asks nobody to take filters away that they did not set."""
    with open_test_hub(tmp_path) as running, TestClient(create_app(running.hub), base_url="http://127.0.0.1") as client:
        assert "Take a filter away" in client.get("/models?search=nothing").text
        text = client.get("/models").text
    assert "How to publish" in text
    assert "Take a filter away" not in text


def test_language_is_remembered(visit: Visit) -> None:
    """Choosing a language sets it for the next pages, and leads back to a page of this hub only."""
    text = visit.client.get(f"/{MODEL}", headers={"Accept": "text/html"}).text
    token = re.search(r'name="csrf" value="([^"]+)"', text)
    assert token
    for to, expected in ((f"/{MODEL}", f"/{MODEL}"), ("//evil.example", "/"), ("https://evil.example/", "/")):
        sent = {"csrf": token[1], "language": "es", "next": to}
        answer = visit.client.post("/settings/language", data=sent, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, expected)
    assert 'lang="es"' in visit.client.get(f"/{MODEL}", headers={"Accept-Language": "en"}).text
    visit.client.cookies.clear()


def test_language_is_kept_with_the_account(visit: Visit) -> None:
    """Whoever is signed in reads their language in every browser, whatever that browser asks for or was told before."""
    visit.running.person("lena")
    first, second = (example.sign_in(visit.running, "lena") for _ in range(2))
    page = visit.client.get(f"/{MODEL}", headers={"Accept": "text/html", "Cookie": f"hm_session={first}"}).text
    token = re.search(r'name="csrf" value="([^"]+)"', page)
    assert token
    for code, other in (("es", "en"), ("en", "es")):
        sent = {"csrf": token[1], "language": code, "next": "/"}
        visit.client.post("/settings/language", data=sent, headers={"Cookie": f"hm_session={first}"})
        visit.client.cookies.clear()
        headers = {"Accept-Language": other, "Cookie": f"hm_session={second}; language={other}"}
        assert f'<html lang="{code}"' in visit.client.get(f"/{MODEL}", headers=headers).text
        headers["Cookie"] = ""
        assert f'<html lang="{other}"' in visit.client.get(f"/{MODEL}", headers=headers).text


def test_static_files(visit: Visit) -> None:
    """Style and script come from this hub; their addresses change when they do."""
    text = visit.get(f"/{MODEL}")[1]
    for address in re.findall(r'"(/static/[^"]*)"', text):
        answer = visit.client.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert visit.client.get("/static/../app.py").status_code in {401, 404}
