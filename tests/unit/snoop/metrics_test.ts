import assert from "node:assert/strict";
import { Metrics } from "../../../lib/snoop/metrics.ts";

const GAUGES = { clients: 1, running: 2, nexuses: 3, sharedNexuses: 4, openDescriptors: 5, residentBytes: 6 };

Deno.test("metrics: every family has its help and type once, in front of its samples", () => {
  const metrics = new Metrics();
  metrics.count("commands", { direction: "in", action: "READ KEYS", status: "0x00" });
  metrics.count("commands", { direction: "in", action: "READ KEYS", status: "0x00" });
  metrics.count("commands", { direction: "out", action: "REGISTER", status: "0x18" });
  metrics.observe(0.004);
  metrics.observe(60);
  const lines = metrics.render(GAUGES, "1.2.3", 1000).trimEnd().split("\n");
  let family = "";
  const seen = new Set<string>();
  for (const line of lines) {
    const [, kind, name] = /^# (HELP|TYPE) (\S+)/.exec(line) ?? [];
    if (kind === "HELP") {
      assert.ok(!seen.has(name!), `${name} twice`);
      seen.add(family = name!);
    } else assert.ok(line.startsWith(kind ? `# TYPE ${family} ` : family), line);
  }
  const text = lines.join("\n");
  assert.match(text, /^prmig_snoop_commands_total\{direction="in",action="READ KEYS",status="0x00"\} 2$/m);
  assert.match(text, /^prmig_snoop_command_seconds_bucket\{le="0.005"\} 1$/m);
  assert.match(text, /^prmig_snoop_command_seconds_bucket\{le="30"\} 1$/m);
  assert.match(text, /^prmig_snoop_command_seconds_bucket\{le="\+Inf"\} 2$/m);
  assert.match(text, /^prmig_snoop_extra_commands_total 0$/m);
  assert.match(text, /^prmig_snoop_info\{version="1\.2\.3"\} 1$/m);
  assert.equal(metrics.total("commands"), 3);
});

Deno.test("metrics: a label cannot break out of its quotes", () => {
  const metrics = new Metrics();
  metrics.count("closed", { reason: 'a"b\\c\nd' });
  assert.match(metrics.render(GAUGES, "", 0), /reason="a\\"b\\\\c\\nd"\} 1$/m);
});
