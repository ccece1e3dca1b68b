"""Regenerates `cvat_nuclio/data/nuclio_keys.json`: the keys that Nuclio knows in function.yaml, with their Go types.

    python tools/known_keys.py --nuclio CLONE --modules "$(go env GOMODCACHE)" 1.13.0 1.14.1

CLONE is a git clone of nuclio/nuclio with its tags; the module cache must hold what `go mod download` in it brings
(`k8s.io/api`, `k8s.io/apimachinery`). Only type declarations and their json tags are read.
"""

import argparse
import json
import re
import subprocess
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "generator/cvat_nuclio/data/nuclio_keys.json"
ROOT = "functionconfig.Config"
FUNCTIONCONFIG = "github.com/nuclio/nuclio/pkg/functionconfig"
DECLARATION = re.compile(r"^type (\w+) (struct \{\n.*?^\}|[^\n{]+)$", re.M | re.S)
FIELD = re.compile(r'^\t(?:(\w+)\s+)?([\w.*\[\] {}]+?)\s+`json:"([^"]*)"[^`]*`')
IMPORT = re.compile(r'^\s*(?:(\w+) )?"([\w./-]+)"$', re.M)
# Types with an UnmarshalJSON of their own: the reader treats them by name.
OPAQUE = {"resource.Quantity", "intstr.IntOrString", "v1.Time", "v1.MicroTime", "v1.FieldsV1"}
# Known from Nuclio's documentation of its asynchronous mode, and from nuclio#4363 (1.17.9), only; no source of these
# versions was at hand.
DOCUMENTED = {
    "functionconfig.Trigger": {"mode": ("string", "1.15"), "async": ("map[string]interface {}", "1.15")},
    "functionconfig.Spec": {"imagePullSecretsList": ("[]string", "1.17")},
}

Field = dict[str, object]
Types = dict[str, object]


class Sources:
    def __init__(self, clone: Path, modules: Path, version: str) -> None:
        self.clone, self.modules, self.version = clone, modules, version
        self.required = dict(re.findall(r"^\t(\S+) (v\S+)", self.show("go.mod"), re.M))

    def show(self, path: str) -> str:
        command = ["git", "-C", str(self.clone), "show", f"{self.version}:{path}"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def read(self, package: str) -> str:
        """The text of the file of `package` that declares its types."""
        if package == FUNCTIONCONFIG:
            return self.show("pkg/functionconfig/types.go")
        module = max((m for m in self.required if package.startswith(m)), key=len)
        folder = self.modules / f"{module}@{self.required[module]}" / package.removeprefix(module).lstrip("/")
        return (folder / "types.go").read_text()


class Collector:
    """Follows the types that the root reaches."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.types: Types = {}
        self.homes: dict[str, str] = {}
        self.texts: dict[str, tuple[dict[str, str], dict[str, str]]] = {}

    def package(self, path: str) -> tuple[dict[str, str], dict[str, str]]:
        if path not in self.texts:
            text = self.sources.read(path)
            imports = {name or target.rsplit("/", 1)[-1]: target for name, target in IMPORT.findall(text)}
            self.texts[path] = dict(DECLARATION.findall(text)), imports
        return self.texts[path]

    def resolve(self, go_type: str, path: str) -> str:
        """A type as Go's reflection prints it; every named type in it is collected."""
        go_type = go_type.strip()
        for prefix in ("*", "[]"):
            if go_type.startswith(prefix):
                return prefix + self.resolve(go_type.removeprefix(prefix), path)
        if match := re.fullmatch(r"map\[([\w.]+)\](.+)", go_type):
            return "map[string]" + self.resolve(match[2], path)
        if go_type in {"string", "bool", "byte", "interface{}"} or re.fullmatch(r"u?int\d*|float\d+", go_type):
            return go_type.replace("interface{}", "interface {}")
        return "string" if go_type == "types.UID" else self.collect(go_type, path)

    def collect(self, go_type: str, path: str) -> str:
        """Adds a named type and returns its printed name."""
        prefix, _, name = go_type.rpartition(".")
        home = self.package(path)[1][prefix] if prefix else path
        printed = f"{home.rsplit('/', 1)[-1]}.{name}"
        if self.homes.setdefault(printed, home) != home:
            raise SystemExit(f"two types print as {printed}: {home} and {self.homes[printed]}")
        if printed not in self.types and printed not in OPAQUE:
            body = self.package(home)[0][name]
            self.types[printed] = None
            is_struct = body.startswith("struct {")
            self.types[printed] = self.fields(body, home) if is_struct else self.resolve(body, home)
        return printed

    def fields(self, body: str, path: str) -> dict[str, Field]:
        found: dict[str, Field] = {}
        for line in body.splitlines():
            if match := FIELD.match(line):
                name, *options = match[3].split(",")
                if name == "-":
                    continue
                embedded = not match[1] and not name
                key = f"<{match[2]}>" if embedded else name
                found[key] = {"type": self.resolve(match[2], path)}
                if "omitempty" in options:
                    found[key]["omitempty"] = True
        return found


def merge(versions: dict[str, Types]) -> Types:
    """One tree; what an older version lacks carries `since`."""
    *older, newest = versions
    merged = dict(versions[newest])
    for name, fields in merged.items():
        if isinstance(fields, dict):
            for key, field in fields.items():
                # A type that an older version lacks is reached by a field that carries the mark itself.
                if any(key not in (versions[v].get(name) or {key: 0}) for v in older):  # type: ignore[operator]
                    field["since"] = newest.rsplit(".", 1)[0]
            for key, (go_type, since) in DOCUMENTED.get(name, {}).items():
                fields[key] = {"type": go_type, "omitempty": True, "since": since}
    return merged


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nuclio", type=Path, required=True)
    parser.add_argument("--modules", type=Path, required=True)
    parser.add_argument("versions", nargs="+")
    args = parser.parse_args()
    versions: dict[str, Types] = {}
    for version in args.versions:
        collector = Collector(Sources(args.nuclio, args.modules, version))
        collector.collect("Config", FUNCTIONCONFIG)
        versions[version] = collector.types
    types = {name: merge(versions)[name] for name in sorted(merge(versions))}
    command = "tools/known_keys.py " + " ".join(args.versions)
    lines = [f"{json.dumps(name)}: {json.dumps(fields)}" for name, fields in types.items()]
    TARGET.write_text(f'{{"generated": "{command}", "root": "{ROOT}", "types": {{\n' + ",\n".join(lines) + "\n}}\n")
    print(f"{TARGET.name}: {len(types)} types")


if __name__ == "__main__":
    main()
