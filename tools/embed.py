"""Write a C++ file that holds the given files as byte arrays: embed.py ROOT OUT FILE..."""
import pathlib, sys

root, out, *files = sys.argv[1:]
lines = ['#include "core/embedded.h"', "namespace tellerd::core {", "namespace {"]
rows = []
for n, name in enumerate(sorted(files)):
    data = pathlib.Path(name).read_bytes()
    body = ",".join(str(b) for b in data) or "0"
    lines.append(f"const unsigned char file{n}[] = {{{body}}};")
    rows.append(f'    {{"{pathlib.Path(name).relative_to(root).as_posix()}", {{reinterpret_cast<const char*>(file{n}), {len(data)}}}}},')
lines += ["const EmbeddedFile kFiles[] = {", *rows, "};", "}  // namespace",
          "std::span<const EmbeddedFile> embedded_files() noexcept { return kFiles; }", "}  // namespace tellerd::core"]
text = "\n".join(lines) + "\n"
target = pathlib.Path(out)
target.parent.mkdir(parents=True, exist_ok=True)
target.write_text(text)
