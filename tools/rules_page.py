"""Writes docs/rules.md from the rules themselves: `python -m tools.rules_page`."""

from itertools import pairwise
from pathlib import Path

from cvat_nuclio.check.rule import Rule, all_rules

PAGE = Path(__file__).resolve().parent.parent / "docs" / "rules.md"
GROUPS = {
    "CN1": "How Nuclio reads the file",
    "CN2": "What stops the function processor at its start",
    "CN30": "What nuctl, Docker and Kubernetes refuse or pass over",
    "CN33": "The image that nuctl builds",
    "CN40": "What CVAT needs to list a function",
    "CN43": "The labels in the annotation `spec`",
    "CN5": "Sizes, times and workers",
    "CN6": "The Python handler",
    "CN7": "Auto-annotation functions",
}
HEAD = """# The rules of `cvat-nuclio check`

Written by `python -m tools.rules_page` from the rules; do not edit. How to run them is in [check.md](check.md).

An **error** is refused, hidden or broken when it runs. A **warning** runs, but not as written, or only by luck.
A **note** is harmless, or a matter of other versions. *fix* marks what `--fix` can mend without changing what is read.
Names after "vector" and "recording" are ids of exchanges recorded from the real Nuclio, nuctl and CVAT; the tests
replay them.
"""


def page(rules: list[Rule]) -> str:
    parts = [HEAD]
    for prefix, after in pairwise([*GROUPS, "CN9"]):
        inside = [rule for rule in rules if prefix <= rule.id < after]
        parts.append(f"## {GROUPS[prefix]}\n")
        parts += [_entry(rule) for rule in inside]
    return "\n".join(parts)


def _entry(rule: Rule) -> str:
    fix = ", *fix*" if rule.fixes else ""
    reason = f"{rule.summary()} {rule.reason()}".strip()
    return (
        f"### {rule.id} {rule.name} ({rule.severity.value}{fix})\n\n{reason}\n\n"
        f"* Source: {rule.source}.\n* Remedy: {rule.remedy}.\n"
    )


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(all_rules()), encoding="utf-8")
    print(f"{PAGE.name}: {len(all_rules())} rules")
