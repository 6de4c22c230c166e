"""Whether schema/*.fbs is still what producers and stored bytes were written with.

schema_conform.py ROOT compares ROOT/schema with each version in ROOT/tests/golden/schema/*; --self-test ROOT mutates
copies, each of which must be refused. Two judges: `flatc --conform`, and rules for what flatc lets pass: a trailing
field removed, a rename, a changed attribute, default, file identifier, namespace or root, an enum or union reordered.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

TOKEN = re.compile(r'\s+|//[^\n]*|(?P<text>"[^"]*")|(?P<word>[\w.+-]+)|(?P<sign>[{}()\[\]:;,=])')


class Broken(Exception):
    pass


def tokens_of(text):
    tokens, at = [], 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if not match:
            raise Broken(f"cannot be read at {text[at:at + 20]!r}")
        at = match.end()
        if match.lastgroup:
            tokens.append(match.group())
    return tokens


class Schema:
    """One .fbs file: one-word statements, enums and unions with their members in order, tables with their fields."""

    def __init__(self, text):
        self.tokens = tokens_of(text)
        self.words, self.enums, self.tables = {}, {}, {}
        while self.tokens:
            what, name = self.take(), self.take()
            if what in ("namespace", "root_type", "file_identifier"):
                self.words[what] = name
                self.take(";")
            elif what in ("enum", "union"):
                base = self.take_after(":")
                self.enums[name] = (what, base, self.members())
            elif what == "table":
                self.tables[name] = self.fields()
            else:
                raise Broken(f"{what} is not known to this check: teach it first")

    def take(self, wanted=None):
        if not self.tokens or wanted not in (None, self.tokens[0]):
            raise Broken(f"{wanted!r} expected before {self.tokens[:3]}")
        return self.tokens.pop(0)

    def take_after(self, sign):
        if self.tokens[0] != sign:
            return ""
        self.take()
        return self.take()

    def members(self):
        found, value = [], 0
        self.take("{")
        while self.tokens[0] != "}":
            name, given = self.take(), self.take_after("=")
            value = int(given) if given else value
            found.append((name, value))
            value += 1
            if self.tokens[0] == ",":
                self.take()
        self.take("}")
        return found

    def fields(self):
        found = []
        self.take("{")
        while self.tokens[0] != "}":
            name = self.take()
            self.take(":")
            kind = self.take()
            if kind == "[":
                kind = f"[{self.take()}]"
                self.take("]")
            default, attributes = self.take_after("="), []
            if self.tokens[0] == "(":
                while self.take() != ")":
                    word = self.take()
                    value = self.take_after(":")
                    attributes.append(f"{word}:{value}" if value else word)
            self.take(";")
            found.append((name, kind, default, tuple(sorted(attributes))))
        self.take("}")
        return found


def begins_with(what, old, new):
    for at, member in enumerate(old):
        if at >= len(new):
            return [f"{what}: {member[0]} is gone"]
        if new[at] != member:
            return [f"{what}: {member} has become {new[at]}"]
    return []


def complaints(old, new):
    """Why bytes written with the old schema could be misread by the new one, or the other way round."""
    found = [f"{word} was {old.words.get(word)}, is {new.words.get(word)}"
             for word in sorted({*old.words, *new.words}) if old.words.get(word) != new.words.get(word)]
    for name, (what, base, members) in old.enums.items():
        if name not in new.enums:
            found.append(f"{what} {name} is gone")
            continue
        if new.enums[name][:2] != (what, base):
            found.append(f"{what} {name} : {base} has become {new.enums[name][:2]}")
        found += begins_with(f"{what} {name}", members, new.enums[name][2])
    for name, fields in old.tables.items():
        if name not in new.tables:
            found.append(f"table {name} is gone")
            continue
        found += begins_with(f"table {name}", fields, new.tables[name])
        found += [f"table {name}: the new field {field[0]} is required, older writers do not have it"
                  for field in new.tables[name][len(fields):] if "required" in field[3]]
    return found


def flatc_refuses(old, new):
    done = subprocess.run(["flatc", "--conform", old, new], capture_output=True, text=True, check=False)
    return done.returncode != 0


def check(old, new):
    """Findings for two files of one name, by both judges."""
    try:
        found = complaints(Schema(old.read_text()), Schema(new.read_text()))
    except Broken as broken:
        found = [str(broken)]
    return found + (["flatc --conform refuses it"] if flatc_refuses(old, new) else [])


def compare(root):
    versions = sorted(p for p in (root / "tests/golden/schema").iterdir() if p.is_dir())
    found, files = [], 0
    for version in versions:
        for old in sorted(version.glob("*.fbs")):
            files += 1
            new = root / "schema" / old.name
            what = check(old, new) if new.exists() else ["the file is gone"]
            found += [f"schema/{old.name} against {version.name}: {one}" for one in what]
    kept = {old.name for version in versions for old in version.glob("*.fbs")}
    found += [f"schema/{new.name} is in no version under tests/golden/schema"
              for new in (root / "schema").glob("*.fbs") if new.name not in kept]
    return found, files


# (file, pattern, replacement): each changes what bytes mean, so each must be refused.
MUST_FAIL = {
    "trailing field removed": ("event.fbs", r" channel:string; }\ntable SupportContact", " }\ntable SupportContact"),
    "first field removed": ("event.fbs", r"\{ amount_minor:long; currency:string; direction", "{ currency:string; direction"),
    "field renamed": ("event.fbs", r"direction:string", "way:string"),
    "fields swapped": ("event.fbs", r"sender:string; text:string", "text:string; sender:string"),
    "field inserted in the middle": ("event.fbs", r"topic:string;", "topic:string; line:string;"),
    "type widened": ("event.fbs", r"mcc:int; merchant", "mcc:long; merchant"),
    "type narrowed": ("ack.fbs", r"commit_seq:ulong", "commit_seq:uint"),
    "default changed": ("event.fbs", r"in_stock:bool = true", "in_stock:bool = false"),
    "default added": ("event.fbs", r"slot:int;", "slot:int = 1;"),
    "default dropped": ("event.fbs", r"children:int = -1", "children:int"),
    "required dropped": ("batch.fbs", r"producer:string \(required\)", "producer:string"),
    "required added": ("event.fbs", r"host:string;", "host:string (required);"),
    "required dropped beside another attribute": ("batch.fbs", r"\(required, force_align: 16\)", "(force_align: 16)"),
    "new field required": ("hello.fbs", r"incarnation:ulong;", "incarnation:ulong; secret:string (required);"),
    "field deprecated": ("event.fbs", r"note:string; amount_minor", "note:string (deprecated); amount_minor"),
    "file identifier changed": ("event.fbs", r"TLE1", "TLE2"),
    "file identifier dropped": ("hello.fbs", r'file_identifier "TLH1";', ""),
    "root changed": ("batch.fbs", r"root_type EventBatch", "root_type EventBytes"),
    "namespace changed": ("ack.fbs", r"tellerd\.schema", "tellerd.wire"),
    "enum order changed": ("ack.fbs", r"Duplicate, Conflict", "Conflict, Duplicate"),
    "enum member removed": ("ack.fbs", r", TooLarge", ""),
    "enum member inserted": ("ack.fbs", r"Hello, Accepted, Dup", "Hello, Welcome, Accepted, Dup"),
    "enum type changed": ("ack.fbs", r"AckCode : ubyte", "AckCode : ushort"),
    "enum value moved": ("ack.fbs", r"Gap,", "Gap = 9,"),
    "union order changed": ("event.fbs", r"Transaction, SupportContact, Sms,", "SupportContact, Transaction, Sms,"),
    "union member removed": ("event.fbs", r", BackfillEnd \}", " }"),
    "union member inserted": ("event.fbs", r"union Body \{ ", "union Body { BackfillEnd, "),
    "table removed": ("ack.fbs", r"table Verdict .*\n", "table Verdict2 { seq:ulong; code:VerdictCode; field:string; }\n"),
    "not a schema": ("hello.fbs", r"table Hello \{", "table Hello {{"),
}
# What growing may do.
MUST_PASS = {
    "as it is": ("event.fbs", r"^", ""),
    "field added at the end": ("event.fbs", r"channel:string; }\ntable SupportContact", "channel:string; terminal:string; }\ntable SupportContact"),
    "union member added at the end": ("event.fbs", r"BackfillEnd \}", "BackfillEnd, Parcel }\ntable Parcel { place:string; }"),
    "enum member added at the end": ("ack.fbs", r"TooLarge \}", "TooLarge, TooMany }"),
    "comment changed": ("batch.fbs", r"// random", "// a random number"),
}


def self_test(root):
    failures, missed_by_flatc = [], 0
    with tempfile.TemporaryDirectory() as folder:
        for must_pass, cases in ((False, MUST_FAIL), (True, MUST_PASS)):
            for name, (file, pattern, replacement) in cases.items():
                old, new = root / "tests/golden/schema/v1" / file, pathlib.Path(folder) / file
                mutated, count = re.subn(pattern, replacement, old.read_text(), count=1)
                new.write_text(mutated)
                if count != 1:
                    failures.append(f"{name}: the pattern is not in {file}")
                elif (not check(old, new)) != must_pass:
                    failures.append(f"{name}: {'refused' if must_pass else 'let pass'}")
                elif not must_pass:
                    missed_by_flatc += not flatc_refuses(old, new)
    for failure in failures:
        print(failure)
    print(f"{len(MUST_FAIL)} breaking changes refused, {missed_by_flatc} of them unseen by flatc; {len(MUST_PASS)} harmless ones pass"
          if not failures else f"{len(failures)} failures")
    return 1 if failures or missed_by_flatc == 0 else 0


def main():
    if sys.argv[1] == "--self-test":
        return self_test(pathlib.Path(sys.argv[2]))
    found, files = compare(pathlib.Path(sys.argv[1]))
    for one in found:
        print(one)
    print(f"{files} schema files compared, {len(found)} findings")
    return 1 if found or files == 0 else 0


sys.exit(main())
