"""`make docs`: the documentation as a site, in site/, by Material for MkDocs, which checks every link.

Pages, and what they link to, are laid into .site/ as they lie in the repository; a link to a folder becomes a
page that lists it. The functions' page comes along, with its description beside it: it needs no server.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

from local import command, requirements
from local.errors import StackError
from local.requirements import NODE_MODULES, ROOT

LOCK = ROOT / "tools" / "requirements-docs.txt"
ENVIRONMENT = ROOT / ".venv-docs"
SOURCE = ROOT / ".site"
SITE = ROOT / "site"
PAGES = (
    "*.md",
    "docs/**/*.md",
    "local/README.md",
    "tests/README.md",
    "tests/reference/*.md",
    "bench/results/README.md",
)
MARK = re.compile(r"^( *```sh) (?:parsed|hosted)$", re.MULTILINE)  # for the tests; no code to MkDocs
LINK = re.compile(r"\]\((?P<target>[^)\s#:]+)(?P<anchor>#[^)\s]*)?\)")


def install() -> None:
    """Install MkDocs where it is not yet."""
    uv, fingerprint = requirements.uv_program(), requirements.fingerprint_of(LOCK)
    if requirements.is_current(ENVIRONMENT, fingerprint):
        return
    _run(str(uv), "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(ENVIRONMENT))
    python = str(ENVIRONMENT / "bin" / "python")
    _run(str(uv), "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", str(LOCK))
    requirements.mark_current(ENVIRONMENT, fingerprint)


def lay_out() -> None:
    """Fill .site/ with the pages, what they link to, and the page of the functions."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    for page in sorted(page for pattern in PAGES for page in ROOT.glob(pattern)):
        text = MARK.sub(r"\1", page.read_text(encoding="utf-8"))
        _write(page, LINK.sub(partial(_link, page), text))
    shutil.copytree(ROOT / "docs" / "pictures", SOURCE / "docs" / "pictures")
    api = SOURCE / "docs" / "api"
    shutil.copytree(ROOT / "console" / "api", api)
    shutil.copy(ROOT / "functions" / "openapi.json", api)
    (api / "ui").mkdir()
    for name in ("swagger-ui.css", "swagger-ui-bundle.js"):
        shutil.copy(NODE_MODULES / "swagger-ui-dist" / name, api / "ui")
    index = api / "index.html"
    index.write_text(
        index.read_text(encoding="utf-8").replace("/functions/v1/openapi.json", "openapi.json"), "utf-8"
    )


def _link(page: Path, match: re.Match[str]) -> str:
    """Keep a link; what it leads to comes along."""
    target = (page.parent / match["target"]).resolve()
    if target.is_dir():
        names = sorted(each.name for each in target.iterdir() if not each.name.startswith(("_", ".")))
        listed = SOURCE / target.relative_to(ROOT) / "index.md"
        if not (target / "README.md").exists():
            listed.parent.mkdir(parents=True, exist_ok=True)
            listed.write_text(
                f"# {target.relative_to(ROOT)}\n\n" + "".join(f"- `{name}`\n" for name in names), "utf-8"
            )
            return f"]({match['target'].rstrip('/')}/index.md)"
        return f"]({match['target'].rstrip('/')}/README.md)"
    if target.suffix not in {".md", ".png"}:
        _write(target, target.read_text(encoding="utf-8"))
    return match[0]


def _write(file: Path, text: str) -> None:
    copy = SOURCE / file.relative_to(ROOT)
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(text, encoding="utf-8")


def build() -> str:
    """Build the site. Returns what MkDocs said; raises StackError where a link leads nowhere."""
    lay_out()
    return _run(str(ENVIRONMENT / "bin" / "mkdocs"), "build", "--strict")


def _run(*line: str) -> str:
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StackError(f"{Path(line[0]).name} failed:\n{(done.stderr or done.stdout)[-4000:]}")
    return done.stdout + done.stderr


def main() -> int:
    """Install what is missing, and build."""
    install()
    build()
    pages = len(list(SITE.rglob("*.html")))
    print(f"{pages} pages in {SITE.relative_to(ROOT)}, and every link leads somewhere: open site/index.html")
    return 0


if __name__ == "__main__":
    raise SystemExit(command.run(main))
