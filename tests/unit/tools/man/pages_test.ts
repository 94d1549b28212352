import assert from "node:assert/strict";
import { GLOBAL_OPTIONS, optionName } from "../../../../lib/cli/command.ts";
import { COMMANDS } from "../../../../lib/cli/commands.ts";
import { exitRows } from "../../../../lib/cli/help.ts";
import { TOPICS } from "../../../../lib/cli/topics.ts";
import { markdownSections } from "../../../../tools/man/markdown.ts";
import { manualPages } from "../../../../tools/man/pages.ts";
import { escapeCode, escapeText, inline, paragraphs } from "../../../../tools/man/roff.ts";

const PAGES = manualPages({ version: "1.2.3", date: "2001-02-03", epoch: 0 });

/** What a reader sees of roff, roughly: no requests, no fonts, special characters as themselves. */
function seen(roff: string): string {
  return roff.split("\n").filter((line) => !/^\.(?!SH|SS)/.test(line)).join("\n")
    .replaceAll(/\\f[BIR]/g, "").replaceAll(/^\.S[HS] "(.*)"$/gm, "$1").replaceAll("\\-", "-").replaceAll("\\(aq", "'")
    .replaceAll("\\(ga", "`").replaceAll("\\(ti", "~").replaceAll("\\(ha", "^").replaceAll("\\&", "").replaceAll(
      "\\e",
      "\\",
    );
}

for (const command of COMMANDS) {
  Deno.test(`prmig-${command.name}(8) has every option, argument, exit code and example`, () => {
    const text = seen(PAGES.get(`prmig-${command.name}.8`)!);
    const wanted = [
      command.name,
      ...Object.keys({ ...command.options, ...GLOBAL_OPTIONS }).map((property) => `--${optionName(property)}`),
      ...Object.values(command.args).map(({ placeholder }) => placeholder),
      ...exitRows(command).map(([, meaning]) => meaning),
      ...command.examples.map(({ line }) => line),
    ];
    assert.deepEqual(wanted.filter((word) => !text.includes(word)), []);
  });
}

Deno.test("prmig(8) names every command, prmig(7) holds every topic", () => {
  const program = seen(PAGES.get("prmig.8")!);
  assert.deepEqual(COMMANDS.filter(({ name }) => !program.includes(`prmig-${name}`)), []);
  const overview = seen(PAGES.get("prmig.7")!);
  assert.deepEqual(Object.values(TOPICS).filter(({ title }) => !overview.includes(`\n${title.toUpperCase()}\n`)), []);
});

Deno.test("every page has a NAME that whatis can read, and refers to pages that exist", () => {
  for (const [file, roff] of PAGES) {
    assert.match(seen(roff), /(^|\n)NAME\n[\w-]+ - \S/, file);
    for (const [, name, part] of roff.matchAll(/\\fB([\w\\-]+)\\fR\((\d)\)/g)) {
      assert.ok(PAGES.has(`${name!.replaceAll("\\-", "-")}.${part}`), `${file}: ${name}(${part})`);
    }
  }
});

Deno.test("roff: nothing a text holds is taken for a request or an escape", () => {
  assert.equal(paragraphs(".TH is a request"), "\\&.TH is a request");
  assert.equal(escapeCode("a\\b 'c' `d` -e ~/f^"), "a\\eb \\(aqc\\(aq \\(gad\\(ga \\-e \\(ti/f\\(ha");
  assert.equal(escapeText("hand-over of --all, 0x-1"), "hand-over of \\-\\-all, 0x\\-1");
  assert.equal(inline("run `prmig dump -v` now"), "run \\fBprmig dump \\-v\\fR now");
});

Deno.test("roff: text that stands as it is keeps its shape and loses its common margin", () => {
  const lines = paragraphs("Look:\n\n  a\n    b\n\nThen.").split("\n");
  assert.deepEqual(lines, ["Look:", ".PP", ".RS 4", ".EX", "a", "  b", ".EE", ".RE", ".PP", "Then."]);
});

Deno.test("markdown: headings, tables, lists, code and links come out", () => {
  const { title, sections } = markdownSections(
    "# Title\n\nLead with `code`.\n\n## One\n\n    code --x\n\n| a | b |\n|---|---|\n| x | y |\n| | z |\n\n" +
      "- first\n  goes on\n- second\n\n## Two\n\n### Sub\n\nSee [there](x.md), **strong**.\n",
  );
  assert.equal(title, "Title");
  const text = sections.join("\n");
  for (
    const wanted of [
      "Lead with \\fBcode\\fR.",
      '.SH "ONE"',
      "code \\-\\-x",
      "\\fBx\\fR\ny",
      "\\fBx\\fR\nz",
      ".IP \\(bu 4\nfirst goes on",
      '.SS "Sub"',
      "See there, \\fBstrong\\fR.",
    ]
  ) assert.ok(text.includes(wanted), wanted);
});

Deno.test("prmig-virsh-migrate(8) knows the words and the variables of the script", () => {
  const script = Deno.readTextFileSync(new URL("../../../../packaging/libvirt/prmig-virsh-migrate", import.meta.url));
  const page = seen(PAGES.get("prmig-virsh-migrate.8")!);
  const header = script.slice(0, script.indexOf("\nset "));
  const wanted = [...header.matchAll(/^# {3}(prmig-virsh-migrate .+|PRMIG_\w+)/gm)].map(([, word]) => word!);
  assert.ok(wanted.length >= 5, wanted.join());
  assert.deepEqual(wanted.filter((word) => !page.includes(word)), []);
});
