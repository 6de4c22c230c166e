"""Which room may include which: doors.py ROOT checks ROOT/daemon/*/, doors.py --self-test checks this script.

A room includes core, store, wire and the rooms upstream of it. core includes none of ours, store and wire only core.
An outside library that is dear to one room has its header in that room alone. Each offence is printed as file:line.
"""
import pathlib
import re
import sys
import tempfile

UPSTREAM_FIRST = ["core", "store", "wire", "ingest", "bronze", "silver", "gold", "model", "decide", "deliver", "ops", "app"]
COMMON = {"core", "store", "wire"}
MAY_INCLUDE = {room: COMMON | set(UPSTREAM_FIRST[:place]) for place, room in enumerate(UPSTREAM_FIRST)}
MAY_INCLUDE |= {"core": set(), "store": {"core"}, "wire": {"core"}}

LIBRARIES = [
    (re.compile(r"sqlite3(ext)?\.h"), "store"),
    (re.compile(r"flatbuffers/.*|(.*/)?\w+_generated\.h"), "wire"),
    (re.compile(r"civetweb\.h|CivetServer\.h"), "ops"),
    (re.compile(r"xgboost/.*|(.*/)?xgboost\w*\.h"), "model"),
]
INCLUDE = re.compile(r'\s*#\s*include(?:_next)?\s*["<]([^">]+)[">]')
SOURCES = {".h", ".hpp", ".cpp", ".cc", ".c", ".inc"}


def complaint(room, included):
    """What is wrong with this room including that header, or None."""
    parts = pathlib.PurePosixPath(included).parts
    if ".." in parts:
        return f'"{included}" leaves its folder; includes are written room/file.h'
    for pattern, owner in LIBRARIES:
        if pattern.fullmatch(included) and room != owner:
            return f"{included} belongs to {owner}/ alone"
    if len(parts) > 1 and parts[0] in MAY_INCLUDE and parts[0] != room and parts[0] not in MAY_INCLUDE[room]:
        return f"{room} may not include {parts[0]} ({included})"
    return None


def offences(root):
    daemon = pathlib.Path(root) / "daemon"
    found, files = [], 0
    for path in sorted(p for p in daemon.glob("*/**/*") if p.is_file() and p.suffix in SOURCES):
        files += 1
        name, room = path.relative_to(root).as_posix(), path.relative_to(daemon).parts[0]
        if room not in MAY_INCLUDE:
            found.append(f"{name}:1: daemon/{room} is not a room of the house")
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            match = INCLUDE.match(line)
            wrong = match and complaint(room, match[1])
            if wrong:
                found.append(f"{name}:{number}: {wrong}")
    return found, files


ALLOWED = {
    "core/time.h": "#include <chrono>",
    "store/database.cpp": '#include <sqlite3.h>\n#include "store/database.h"\n#include "core/log.h"',
    "wire/event.cpp": '#include "core/time.h"\n#include "schema/event_generated.h"\n#include <flatbuffers/flatbuffers.h>',
    "ingest/receiver.cpp": '#include "wire/event.h"\n#include "store/database.h"',
    "bronze/log.cpp": '#include "ingest/receiver.h"\n#include "store/database.h"',
    "model/churn.cpp": '#include <xgboost/c_api.h>\n#include "gold/customer.h"',
    "ops/page.cpp": '#include <civetweb.h>\n#include "deliver/queue.h"',
    "app/pipeline.cpp": "".join(f'#include "{room}/x.h"\n' for room in UPSTREAM_FIRST),
}
FORBIDDEN = [  # file, text, line of the one offence
    ("core/log.cpp", '#include "core/log.h"\n#include "store/database.h"', 2),
    ("core/log.cpp", '#include "wire/event.h"', 1),
    ("store/database.cpp", '#include "wire/event.h"', 1),
    ("wire/event.cpp", '\n\n#include "store/database.h"', 3),
    ("ingest/receiver.cpp", '#include "bronze/log.h"', 1),
    ("bronze/log.cpp", '#include "silver/refine.h"', 1),
    ("gold/customer.cpp", "  #  include <decide/catalogue.h>", 1),
    ("decide/choose.cpp", '#include "../deliver/queue.h"', 1),
    ("ops/page.cpp", '#include "app/service.h"', 1),
    ("gold/customer.cpp", "#include <sqlite3.h>", 1),
    ("app/service.cpp", '#include "schema/event_generated.h"', 1),
    ("silver/refine.cpp", "#include <flatbuffers/flatbuffers.h>", 1),
    ("app/service.cpp", '#include "civetweb.h"', 1),
    ("decide/choose.cpp", "#include <xgboost/c_api.h>", 1),
    ("model/deep/churn.h", '#include "ops/page.h"', 1),
    ("utils/text.cpp", "#include <string>", 1),
]


def offences_of_tree(tree):
    with tempfile.TemporaryDirectory() as root:
        for name, text in tree.items():
            path = pathlib.Path(root) / "daemon" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return offences(root)[0]


def self_test():
    wrong = [f"allowed, yet: {line}" for line in offences_of_tree(ALLOWED)]
    for name, text, number in FORBIDDEN:
        got = offences_of_tree(ALLOWED | {name: text})
        if len(got) != 1 or not got[0].startswith(f"daemon/{name}:{number}: "):
            wrong.append(f"{name} with {text!r} gave {got}, expected one offence in line {number}")
    print("\n".join(wrong) or f"doors.py: an allowed tree passes, {len(FORBIDDEN)} forbidden includes are each found")
    return 1 if wrong else 0


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    if len(arguments) != 1:
        print("usage: doors.py ROOT | --self-test", file=sys.stderr)
        return 2
    found, files = offences(arguments[0])
    for line in found:
        print(line)
    if files == 0:
        print(f"{arguments[0]}/daemon holds no sources: nothing was checked")
        return 1
    print(f"{files} files, {len(found)} forbidden includes")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
